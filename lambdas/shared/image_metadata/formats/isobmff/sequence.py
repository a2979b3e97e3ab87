"""Image sequences (ISO/IEC 14496-12, chapter 8; ISO/IEC 23008-12, chapter 7): the tracks of a `moov` box."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...model import Found
from ...reader import Reader
from ..boxes import BadBox, Box, walk, walk_bytes
from ..cursors import Fields, Truncated
from .items import ORIENTATIONS, PART_OF, color_mode, decoder_config, icc_profile, is_alpha
from .meta import MAX_TABLE_BYTES, PREFETCH_BYTES

#: Tracks of one `moov`, boxes of one track, and lines of one time-to-sample table.
MAX_TRACKS = 64
MAX_TRACK_BOXES = 256
MAX_TIMES = 1 << 16


@dataclass
class _Track:
    """One `trak` of a sequence."""

    number: int = 0
    handler: bytes = b""
    width: int = 0
    height: int = 0
    orientation: int | None = None
    duration: int = 0  # of the track header, in movie time
    endless: bool = False
    segment: int = 0  # first edit's length, in movie time
    repeats: bool | None = None
    samples: int = 0
    ticks: int = 0  # length in media time
    timescale: int = 0
    times: Box | None = None  # stts
    entry: bytes = b""  # sample entry type
    config: list[tuple[bytes, bytes]] = field(default_factory=list)  # its boxes
    references: dict[bytes, list[int]] = field(default_factory=dict)

    @property
    def duration_ms(self) -> int | None:
        """Play time of one pass."""
        if self.timescale <= 0 or self.ticks <= 0:
            return None
        return round(self.ticks * 1000 / self.timescale)


def describe_sequence(source: Reader, moov: Box, found: Found) -> bytes:
    """Frames, duration and loop of the first picture track, and what the still part left unknown.

    Returns how its pictures are coded (`av01`, `hvc1`, ...), nothing where such a track is missing.
    """
    source.read_at(moov.start, min(moov.size, PREFETCH_BYTES))
    tracks: list[_Track] = []
    try:
        for box in walk(source, moov.start, moov.end):
            if box.kind == b"trak" and len(tracks) < MAX_TRACKS:
                tracks.append(_parse_track(source, box, found))
    except BadBox as error:
        found.warn(f"moov: {error}")
    pictures = [t for t in tracks if t.handler in (b"pict", b"vide") and not t.references.keys() & PART_OF]
    if not pictures:
        found.warn("no picture track in moov")
        return b""
    main = next((t for t in pictures if t.handler == b"pict"), pictures[0])
    if found.width is None:
        if main.width and main.height:
            found.width, found.height = main.width, main.height
        found.orientation = main.orientation
    if found.bit_depth is None:
        config = decoder_config(main.config)
        found.bit_depth = config.depth
        found.has_alpha = any(
            main.number in t.references.get(b"auxl", ()) and (t.handler == b"auxv" or is_alpha(t.config))
            for t in tracks
        )
        found.color_mode = (
            color_mode(config.monochrome, found.has_alpha, config.depth) if config.known else None
        )
    if found.icc is None:
        found.icc = icc_profile(main.config, found)
    if not main.samples:
        found.warn("the picture track states no samples")
        return main.entry
    if main.times is not None:
        main.ticks = _time(source, main.times) or main.ticks
    found.frames = main.samples
    found.animated = main.samples > 1
    found.duration_ms = main.duration_ms if found.animated else None
    found.loop = _loop(main) if found.animated else None
    return main.entry


def _loop(track: _Track) -> int | None:
    """How often the sequence plays: 0 for ever, None unknown (edit lists; 23008-12, 7.2.1)."""
    if track.repeats is None:
        return None
    if not track.repeats:
        return 1
    if track.endless or track.segment <= 0:
        return 0
    return max(1, -(-track.duration // track.segment))


def _parse_track(source: Reader, trak: Box, found: Found) -> _Track:
    """One `trak` box; what is damaged in it stays unknown."""
    track = _Track()
    stack = [(trak, 0)]
    left = MAX_TRACK_BOXES
    seen: set[bytes] = set()
    while stack:
        parent, depth = stack.pop()
        try:
            for box in walk(source, parent.start, parent.end, left):
                left -= 1
                if box.kind in (b"mdia", b"minf", b"stbl", b"edts") and depth < 4:
                    stack.append((box, depth + 1))
                elif box.kind == b"stts":
                    track.times = track.times or box
                elif box.kind in _TRACK_BOXES and box.kind not in seen:
                    seen.add(box.kind)
                    limit = MAX_TABLE_BYTES if box.kind == b"stsd" else 256
                    _TRACK_BOXES[box.kind](source.read_at(box.start, min(box.size, limit)), track)
        except (BadBox, Truncated) as error:
            found.warn(f"track: {error}")
    return track


def _parse_tkhd(data: bytes, track: _Track) -> None:
    """Track header (14496-12, 8.3.2)."""
    fields = Fields(data)
    wide = 8 if fields.u32() >> 24 else 4
    fields.skip(2 * wide)
    track.number = fields.u32()
    fields.skip(4)
    track.duration = fields.uint(wide)
    track.endless = track.duration == (1 << 8 * wide) - 1
    fields.skip(16)
    matrix = [fields.sint(4) for _ in range(9)]
    unit = tuple((v > 0) - (v < 0) for v in (matrix[0], matrix[3], matrix[1], matrix[4]))
    track.orientation = ORIENTATIONS.get(unit)  # type: ignore[arg-type]
    track.width, track.height = track.width or fields.u32() >> 16, track.height or fields.u32() >> 16


def _parse_mdhd(data: bytes, track: _Track) -> None:
    """Media header (14496-12, 8.4.2)."""
    fields = Fields(data)
    wide = 8 if fields.u32() >> 24 else 4
    fields.skip(2 * wide)
    track.timescale = fields.u32()
    duration = fields.uint(wide)
    if duration != (1 << 8 * wide) - 1:
        track.ticks = track.ticks or duration


def _parse_hdlr(data: bytes, track: _Track) -> None:
    """Handler type (14496-12, 8.4.3)."""
    track.handler = data[8:12]


def _parse_elst(data: bytes, track: _Track) -> None:
    """First edit (14496-12, 8.6.6); flag 1 repeats the list."""
    fields = Fields(data)
    flags = fields.u32()
    track.repeats = bool(flags & 1)
    if fields.u32():
        track.segment = fields.uint(8 if flags >> 24 else 4)


def _parse_stsz(data: bytes, track: _Track) -> None:
    """Number of samples (14496-12, 8.7.3; the same place in `stz2`)."""
    fields = Fields(data)
    fields.skip(8)
    track.samples = fields.u32()


def _time(source: Reader, box: Box) -> int:
    """Total time of the samples (14496-12, 8.6.1), 0 where the table is damaged or long."""
    fields = Fields(source.read_at(box.start, min(box.size, 8 + 8 * MAX_TIMES)), 4)
    try:
        count = fields.u32()
        return sum(fields.u32() * fields.u32() for _ in range(count)) if count <= MAX_TIMES else 0
    except Truncated:
        return 0


def _parse_stsd(data: bytes, track: _Track) -> None:
    """First visual sample entry (14496-12, 12.1.3): coded size, then its boxes."""
    for box, body in walk_bytes(data[8:], 1):
        fields = Fields(body)
        fields.skip(24)
        track.width, track.height = fields.u16(), fields.u16()
        fields.skip(50)
        track.entry = box.kind
        track.config = [(child.kind, payload) for child, payload in walk_bytes(body[fields.position :], 64)]


def _parse_tref(data: bytes, track: _Track) -> None:
    """References to other tracks (14496-12, 8.3.3)."""
    for box, body in walk_bytes(data, 16):
        track.references[box.kind] = [
            int.from_bytes(body[i : i + 4], "big") for i in range(0, len(body) - 3, 4)
        ]


_TRACK_BOXES = {
    b"tkhd": _parse_tkhd,
    b"mdhd": _parse_mdhd,
    b"hdlr": _parse_hdlr,
    b"elst": _parse_elst,
    b"stsz": _parse_stsz,
    b"stz2": _parse_stsz,
    b"stsd": _parse_stsd,
    b"tref": _parse_tref,
}
