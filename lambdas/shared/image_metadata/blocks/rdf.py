"""RDF as XMP writes it (ISO 16684-1 clause 7): the simple properties, arrays and language alternatives of one packet.

A document type or an entity of its own is refused, so nothing expands. Prefixes are resolved here and not by expat,
to which an undeclared one is an error: packets that have one are common and lose nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from .. import limits
from ..fields import keys

_PREFIXES = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
}
#: What prefixes mean where a packet does not declare them; xap is the old name of xmp.
_UNDECLARED: dict[str, str | None] = {"xap": "xmp", **{prefix: prefix for prefix in _PREFIXES.values()}}
#: The properties that are read: property -> field of its structure -> the field's name here. Others are passed over.
_WANTED: dict[str, dict[str, str]] = {}
for _name in keys("XMP"):
    _property, _, _part = _name.partition("/")
    _WANTED.setdefault(_property, {}).update({_part: _name} if _part else {})

#: What names without their prefixes must be to mean something here; nearly all are sorted out by this alone.
_LOCAL_NAMES = {"RDF", "Description", "li", "resource", "value"} | {
    part.partition(":")[2] for name in keys("XMP") for part in name.split("/")
}

#: One property's values in order, each with its language or None.
Values = list[tuple[str | None, str]]


class _Refused(Exception):
    """The packet does what no XMP packet may do."""


def read_properties(data: bytes, warn: Callable[[str], None]) -> dict[str, Values]:
    """The wanted top-level properties of a packet in UTF-8, by name; `warn` receives the damage that ends it."""
    packet = _Packet()
    parser = expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = packet.start, packet.end
    parser.CharacterDataHandler = packet.text.append
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = packet.refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        warn(f"XMP: the packet is damaged: {expat.errors.messages[error.code]}")
    except _Refused as error:
        warn(f"XMP: {error}")
    return packet.properties


class _Packet:
    """Collects the wanted properties of every rdf:Description below rdf:RDF from the events of a parser.

    A level counts from rdf:RDF (0): a description is at 1, a property at 2, its array at 3, an item at 4.
    """

    def __init__(self) -> None:
        self.properties: dict[str, Values] = {}
        self._depth = 0
        self._rdf = 0  # depth of the open rdf:RDF
        self._passed = 0  # depth of the open element that is passed over with all it holds
        self._scopes = [(0, _UNDECLARED)]  # depth of an open element, and what prefixes mean within it
        self._property = ""  # the open one
        self._value = ""  # what the open element's text is a value of
        self._language: str | None = None
        self.text: list[str] = []  # read since a value's element was opened

    def start(self, written: str, attributes: dict[str, str]) -> None:
        """An element opens."""
        self._depth = depth = self._depth + 1
        if depth > limits.MAX_XMP_DEPTH:
            raise _Refused("the packet is deeper than is read")
        if self._passed:
            return
        if attributes:
            declared = {}
            for name, uri in attributes.items():
                if name[:5] == "xmlns":
                    declared[name[6:]] = _PREFIXES.get(uri)
            if declared:
                self._scopes.append((depth, declared))
        name = self._name(written)
        self._value = ""
        if not self._rdf:
            if name == "rdf:RDF":
                self._rdf = self._depth
            return
        level = self._depth - self._rdf
        if level == 1 and name == "rdf:Description":
            for attribute, text in attributes.items():
                known = self._name(attribute, attribute=True)
                if known in _WANTED:
                    self._add(known, None, text)
        elif level == 2 and name in _WANTED:
            self._property = self._value = name
            self._open(attributes)
        elif level > 2 and name in _WANTED[self._property]:
            self._value = _WANTED[self._property][name]
            self._open({})  # its attributes qualify it, none is a field of the structure
        elif level > 2 and name == "rdf:value":
            # A value with qualifiers beside it (XMP part 1, 7.8); its language is that of what it is the value of.
            self._value, language = self._property, self._language
            self._open(attributes)
            self._language = self._language or language
        elif level in (3, 4) or (level == 5 and name == "rdf:Description"):
            self._value = self._property if level == 4 and name == "rdf:li" else ""
            self._open(attributes, described=name == "rdf:Description")
        else:
            self._passed = self._depth

    def _open(self, attributes: dict[str, str], described: bool = False) -> None:
        """Begin the text of an element within a property, and take what its attributes state.

        A value with qualifiers may be an attribute too: of the property, or `described` by an rdf:Description.
        """
        self.text.clear()
        self._language = attributes.get("xml:lang")
        for attribute, text in attributes.items():
            name = self._name(attribute, attribute=True)
            if name in _WANTED[self._property]:
                self._add(_WANTED[self._property][name], None, text)
            elif name in ("rdf:resource", "rdf:value") and (described or self._depth == self._rdf + 2):
                self._add(self._property, None, text)

    def end(self, _: str) -> None:
        """An element closes."""
        depth, self._depth = self._depth, self._depth - 1
        if self._passed:
            if depth > self._passed:
                return
            self._passed = 0
        if self._scopes[-1][0] == depth:
            self._scopes.pop()
        if self._value:
            self._add(self._value, self._language, "".join(self.text))
            self._value = ""
        if depth == self._rdf:
            self._rdf = 0

    def refuse(self, *_: Any) -> None:
        """A document type or an entity is declared."""
        raise _Refused("the packet declares a document type, which is not read")

    def _name(self, written: str, attribute: bool = False) -> str:
        """The name with the prefix that is usual for its namespace; "" for a name that means nothing here."""
        prefix, _, local = written.rpartition(":")
        if local not in _LOCAL_NAMES or (attribute and not prefix):  # a default namespace is for elements
            return ""
        for _, scope in reversed(self._scopes):
            if prefix in scope:
                meant = scope[prefix]
                return f"{meant}:{local}" if meant else ""
        return ""

    def _add(self, name: str, language: str | None, text: str) -> None:
        text = text.strip()
        if text:
            self.properties.setdefault(name, []).append((language, text[: limits.MAX_TEXT]))
