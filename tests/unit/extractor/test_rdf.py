"""image_metadata.blocks.rdf: what is looked up in a plain packet is what a parser of XML finds there."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_metadata.blocks.xmp import read_xmp
from image_metadata.model import Description

from .build import packet

URIS = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xap": "http://ns.adobe.com/xap/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
}
NAMES = (
    "dc:title", "dc:subject", "dc:creator", "tiff:Make", "tiff:Orientation", "xmp:Rating", "xap:CreatorTool",
    "exif:Flash", "exif:FNumber", "crs:Look", "crs:Lookup", "other:thing", "q:title",
)  # fmt: skip
#: Pieces of text; the odd ones are rare, so that many packets are plain.
PLAIN, ODD = (
    ("a", "é", " ", "5", "=", "\n", "/>", "tiff:Make="),
    ("\t", "\r\n", "&amp;", "&#233;", "&lt;b>", "'", '"'),
)
BLANKS = st.sampled_from(["", "", "", " ", "\n  "])
HEADS = (
    "",
    "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>",
    "<?xpacket begin='>'?>",
    "<?xml version='1.0'?> <?x?>\n",
)
CHANGES = (b"", b"<", b">", b"'", b'"', b"/", b"&", b" ", b"=", b"!--", b"\n")
RENAMED = ({"q": URIS["dc"]}, {"dc": "http://example.org/"}, {"exif": URIS["tiff"]}, {"tiff": URIS["crs"]})


def rarely(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 15)) == 7


def texts(draw: st.DrawFn) -> str:
    return "".join(draw(st.lists(st.sampled_from(ODD if rarely(draw) else PLAIN), max_size=4)))


def attributes(draw: st.DrawFn, names: tuple[str, ...] = NAMES) -> str:
    """Attributes, no name twice."""
    told = ""
    for name in draw(st.lists(st.sampled_from(names), max_size=4, unique=True)):
        quote = "'" if rarely(draw) else '"'
        equals = draw(st.sampled_from([" =", "= ", "\n=\n"])) if rarely(draw) else "="
        value = texts(draw).replace(quote, "").replace("\n", "" if not rarely(draw) else "\n")
        told += f"{draw(st.sampled_from([' ', chr(10)]))}{name}{equals}{quote}{value}{quote}"
    return told


def item(draw: st.DrawFn) -> str:
    forms = (
        "<rdf:li>{}</rdf:li>",
        "<rdf:li xml:lang='x-default'>{}</rdf:li>",
        '<rdf:li xml:lang="de">{}</rdf:li>',
    )
    odd = (
        "<rdf:li/>",
        "<rdf:li><crs:a>{}</crs:a></rdf:li>",
        "<!-- {} --><rdf:li>x</rdf:li>",
        "<rdf:li >{}</rdf:li >",
    )
    return draw(st.sampled_from(odd if rarely(draw) else forms)).format(texts(draw))


def content(draw: st.DrawFn) -> str:
    """What may stand within a property."""
    array = draw(st.sampled_from(["rdf:Bag", "rdf:Seq", "rdf:Alt"]))
    items = draw(BLANKS).join(item(draw) for _ in range(draw(st.integers(0, 3))))
    around = draw(BLANKS)
    forms = (texts(draw), f"{around}<{array}>{around}{items}{around}</{array}>{around}")
    odd = (
        f"<{array}/>",
        f"<rdf:Description>{items}</rdf:Description>",
        f"<![CDATA[{draw(st.sampled_from(['</crs:Look>', '<dc:title>no</dc:title>', 'x']))}]]>",
        f"<exif:Fired>{texts(draw)}</exif:Fired>",
        f"<rdf:Description{attributes(draw, ('exif:Fired', 'exif:Mode', 'dc:title'))}/>",
        f"<crs:Look><dc:title>{texts(draw)}</dc:title></crs:Look>",
        "<!-- </crs:Look><dc:title>no</dc:title><crs:Look> -->",
    )
    return draw(st.sampled_from(odd if rarely(draw) else forms))


def properties(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(NAMES))
    if rarely(draw):
        return draw(
            st.sampled_from(
                ["<!-- <dc:title>no</dc:title> -->", "<exif:Flash exif:Fired='True'/>", "<!---->"]
            )
        )
    stated = ""
    if rarely(draw):
        stated = attributes(
            draw, ("rdf:resource", "rdf:parseType", "rdf:value", "xml:lang", "exif:Fired", "crs:x")
        )
    if rarely(draw):
        return f"<{name}{stated}{draw(BLANKS)}/>"
    return f"<{name}{stated}>{content(draw)}</{name}{' ' if rarely(draw) else ''}>"


@st.composite
def packets(draw: st.DrawFn) -> str:
    """A well-formed packet, as a rule a plain one."""
    uris = URIS | draw(st.sampled_from(RENAMED)) if rarely(draw) else URIS
    declared = "".join(f'\n xmlns:{prefix}="{uri}"' for prefix, uri in uris.items())
    descriptions = [
        f'<rdf:Description rdf:about=""{declared}{attributes(draw)}{draw(BLANKS)}>'
        f"{draw(BLANKS).join(properties(draw) for _ in range(draw(st.integers(0, 4))))}{draw(BLANKS)}</rdf:Description>"
        for _ in range(draw(st.integers(0, 2)))
    ]
    return (
        f"{draw(st.sampled_from(HEADS))}<x:xmpmeta xmlns:x='adobe:ns:meta/'>{draw(BLANKS)}"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"{draw(BLANKS).join(descriptions)}{draw(BLANKS)}</rdf:RDF></x:xmpmeta>"
    )


def read(data: bytes) -> tuple[Description | None, list[str]]:
    warnings: list[str] = []
    return read_xmp(data, warnings.append), warnings


def parsed(data: bytes) -> tuple[Description | None, list[str]]:
    """The same packet read by the parser, because of a comment before it."""
    return read(data.replace(b"<rdf:RDF", b"<!-- --><rdf:RDF", 1))


@pytest.mark.parametrize(
    ("properties", "attributes"),
    [
        ("<dc:title>a &amp; b&#10;c</dc:title>", ""),
        ("<dc:title>a\r\nb</dc:title>", ""),
        ("<dc:title>a<!-- b -->c</dc:title>", ""),
        ("<dc:title><![CDATA[a <b>]]></dc:title>", ""),
        ("<dc:title xml:lang='x-default'>a</dc:title>", ""),
        ("<dc:title>\n</dc:title ><tiff:Make>M</tiff:Make>", ""),
        ("<dc:title/><dc:creator />", 'tiff:Make="M"'),
        ("<dc:rights rdf:resource='http://example.org/'/>", ""),
        ("<dc:rights rdf:resource='http://example.org/'>text</dc:rights>", ""),
        ("<dc:title><rdf:Alt><rdf:li>a</rdf:li><rdf:li xml:lang='x-default'>b</rdf:li></rdf:Alt></dc:title>", ""),
        ("<dc:title tiff:Make='not this'/><tiff:Make>M</tiff:Make>", ""),
        ("<dc:subject><rdf:Bag><rdf:li>a</rdf:li> <rdf:li>&lt;</rdf:li></rdf:Bag></dc:subject>", ""),
        ("<dc:subject><rdf:Bag><rdf:li><crs:a>a</crs:a></rdf:li></rdf:Bag></dc:subject>", ""),
        ("<dc:subject><rdf:Bag/></dc:subject><tiff:Make>M</tiff:Make>", ""),
        ("<crs:Look></crs:Look ><dc:title>a</dc:title><crs:Look></crs:Look>", ""),
        ("<crs:Look><crs:Look>a</crs:Look><dc:title>not this</dc:title></crs:Look><tiff:Make>M</tiff:Make>", ""),
        ("<crs:Look><!-- </crs:Look><dc:title>not this</dc:title><crs:Look> --></crs:Look>", ""),
        ("<crs:Look><![CDATA[</crs:Look><dc:title>not this</dc:title><crs:Look>]]></crs:Look>", ""),
        ("<crs:Look a='/>'><dc:title>not this</dc:title></crs:Look><tiff:Make>M</tiff:Make>", ""),
        ("<!-- <dc:title>not this</dc:title> --><tiff:Make>M</tiff:Make>", ""),
        ("<?x /><dc:title>not this</dc:title>?><tiff:Make>M</tiff:Make>", ""),
        ("<crs:Look><?x </crs:Look><dc:title>not this</dc:title><crs:Look>?></crs:Look>", ""),
        ("<![CDATA[/><dc:title>not this</dc:title>]]><tiff:Make>M</tiff:Make>", ""),
        ("<![CDATA[>a</![CDATA[><dc:title>not this</dc:title>]]><tiff:Make>M</tiff:Make>", ""),
        ("<dc:title>a</dc:title><dc:title xml:lang='x-default'>b</dc:title>", ""),
        ("<exif:Flash rdf:parseType='Resource'><exif:Fired>True</exif:Fired></exif:Flash>", ""),
        ("<exif:Flash><exif:Fired></exif:Fired><exif:Fired>True</exif:Fired></exif:Flash>", ""),
        ("<exif:Flash><exif:Fired >False</exif:Fired><exif:Fired>True</exif:Fired></exif:Flash>", ""),
        ("<exif:Flash><crs:a exif:Fired='False'><exif:Fired>True</exif:Fired></crs:a></exif:Flash>", ""),
        ("<exif:Flash><crs:a xmlns:exif='u'><exif:Fired>True</exif:Fired></crs:a></exif:Flash>", ""),
        ("<exif:Flash><crs:a xmlns:dc='u'>b</crs:a></exif:Flash><dc:title>a</dc:title>", ""),
        ("<exif:Flash><exif:Fired><crs:b/></exif:Fired></exif:Flash><dc:title>a</dc:title>", ""),
        ("<exif:Flash exif:Fired='False'/><exif:Flash xml:lang='x-default' exif:Fired='True'/>", ""),
        ("<exif:Flash exif:Fired='True' exif:Mode='0'/>", ""),
        ("<exif:Flash><rdf:Description exif:Fired='True'/></exif:Flash>", ""),
        ("", "dc:title='a' tiff:Make=\"b\""),
        ("", "dc:title='\"a\"' tiff:Make='b'"),
        ("", "crs:a='tiff:Make=\"no\"' dc:title=\"it's\""),
        ("", 'dc:title = "a" tiff:Make\n=\n"b"'),
        ("", 'dc:title="a > b" tiff:Make="b"'),
        ("", 'dc:title="a\nb" tiff:Make="b"'),
        ("", 'dc:title="a\tb" tiff:Make="b"'),
        ("", 'dc:title="&quot;" tiff:Make="b"'),
        ("<q:title>a</q:title>", 'xmlns:q="http://purl.org/dc/elements/1.1/"'),
        ("<q:title>a</q:title>", 'xmlns:q="http://purl.org/dc/elements/1.1&#47;"'),
        ("<aux:Lens>a</aux:Lens>", 'xmlns:aux="http://example.org/"'),
        ("<aux:Lens>a</aux:Lens>", ""),
    ],
)  # fmt: skip
def test_a_packet_reads_as_the_parser_reads_it(properties: str, attributes: str) -> None:
    data = packet(properties, attributes)
    assert parsed(data)[1] == []
    assert read(data) == parsed(data)


def test_a_field_that_holds_elements_is_not_taken_for_the_next_property() -> None:
    data = packet("<exif:Flash><exif:Fired><crs:b/></exif:Fired></exif:Flash><dc:title>T</dc:title>")
    assert read(data) == (Description(title="T"), [])


def test_an_instruction_before_the_packet_may_hold_anything() -> None:
    rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    data = (
        f"<?x >{rdf}<rdf:Description dc:title='not this'><a>?>{rdf}<rdf:Description><a></a></rdf:Description></rdf:RDF>"
    ).encode()
    assert read(data) == (None, [])


@pytest.mark.parametrize("value", ["a\0b", "a\x1fb", "a\uffffb"])
def test_what_is_no_character_of_xml_is_no_value(value: str) -> None:
    for data in (packet(f"<dc:title>{value}</dc:title>"), packet("", f'dc:title="{value}"')):
        assert read(data)[0] is None
        assert "damaged" in read(data)[1][0]


def test_declarations_are_bounded() -> None:
    declared = " ".join(f'xmlns:q{n}="http://ns.adobe.com/exif/1.0/"' for n in range(10_000))
    assert read(packet("", declared)) == (None, ["XMP: more prefixes are declared than are read"])
    flipping = "<a xmlns:dc=''/><a xmlns:dc='http://purl.org/dc/elements/1.1/'/>" * 10_000
    assert read(packet("<dc:title>T</dc:title>" + flipping))[0] == Description(title="T")


@given(packets())
def test_a_well_formed_packet_reads_the_same(text: str) -> None:
    data = text.encode()
    assert not [warning for warning in parsed(data)[1] if "damaged" in warning]
    assert read(data) == parsed(data)


@given(packets(), st.randoms(use_true_random=False))
def test_a_changed_packet_that_is_well_formed_reads_the_same(text: str, chance: random.Random) -> None:
    data = bytearray(text.encode())
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 2)] = chance.choice(CHANGES)
    expected, warnings = parsed(bytes(data))
    if b"<rdf:RDF" in data and not [warning for warning in warnings if "damaged" in warning]:
        assert read(bytes(data)) == (expected, warnings)


def test_what_is_not_wanted_is_passed_over_unread() -> None:
    depths = "<crs:a>" * 20_000 + "</crs:a>" * 20_000
    look = f"<crs:Look>{depths}<dc:title>not this</dc:title></crs:Look>"
    assert read(packet(look + "<dc:title>T</dc:title>", 'crs:Settings="' + "A" * 500_000 + '"')) == (
        Description(title="T"),
        [],
    )


@pytest.mark.parametrize(
    "damaged",
    ["<crs:Look><crs:a></crs:b></crs:Look>", "<crs:Look>&undefined;</crs:Look>", "<crs:Look a='1' a='2'/>"],
)
def test_damage_in_what_is_not_wanted_costs_nothing(damaged: str) -> None:
    assert read(packet(damaged + "<dc:title>T</dc:title>")) == (Description(title="T"), [])
