"""image_metadata.blocks.rdf: the properties of a packet, held against those that ElementTree finds in it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_metadata.blocks.rdf import Values, read_properties
from image_metadata.fields import keys
from tests.support.builders import packet

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
URIS = {
    "rdf": RDF,
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
}
PREFIXES = {uri: prefix for prefix, uri in URIS.items()}
DECLARED = {**URIS, "xap": URIS["xmp"], "crs": "http://ns.adobe.com/camera-raw-settings/1.0/", "q": "urn:q"}
RENAMED = ({"q": URIS["dc"]}, {"dc": "http://example.org/"}, {"exif": URIS["tiff"]}, {"tiff": "urn:tiff"})
FIRED = "exif:Flash/exif:Fired"


def read(data: bytes) -> tuple[dict[str, list[str]], list[str]]:
    """The values of the packet's properties without their languages, and the warnings."""
    warnings: list[str] = []
    properties = read_properties(data, warnings.append)
    return {name: [text for _, text in values] for name, values in properties.items()}, warnings


@pytest.mark.parametrize(
    ("properties", "attributes", "expected"),
    [
        ("<dc:title>a &amp; b&#10;c</dc:title>", "", {"dc:title": ["a & b\nc"]}),
        ("<dc:title>a\r\nb</dc:title>", "", {"dc:title": ["a\nb"]}),
        ("<dc:title>a<!-- b -->c</dc:title>", "", {"dc:title": ["ac"]}),
        ("<dc:title><![CDATA[a <b>]]></dc:title>", "", {"dc:title": ["a <b>"]}),
        ("<dc:title>\n</dc:title ><tiff:Make>M</tiff:Make>", "", {"tiff:Make": ["M"]}),
        ("<dc:title/><dc:creator />", 'tiff:Make="M"', {"tiff:Make": ["M"]}),
        ("<dc:rights rdf:resource='http://example.org/'/>", "", {"dc:rights": ["http://example.org/"]}),
        ("<dc:title tiff:Make='not this'/><tiff:Make>M</tiff:Make>", "", {"tiff:Make": ["M"]}),
        ("<dc:subject><rdf:Bag><rdf:li>a</rdf:li> <rdf:li>&lt;</rdf:li></rdf:Bag></dc:subject>", "",
         {"dc:subject": ["a", "<"]}),
        ("<dc:subject><rdf:Bag><rdf:li><crs:a>a</crs:a></rdf:li></rdf:Bag></dc:subject>", "", {}),
        ("<crs:Look><crs:Look>a</crs:Look><dc:title>no</dc:title></crs:Look><tiff:Make>M</tiff:Make>", "",
         {"tiff:Make": ["M"]}),
        ("<crs:Look><!-- </crs:Look><dc:title>no</dc:title><crs:Look> --></crs:Look>", "", {}),
        ("<crs:Look><![CDATA[</crs:Look><dc:title>no</dc:title><crs:Look>]]></crs:Look>", "", {}),
        ("<?x /><dc:title>no</dc:title>?><tiff:Make>M</tiff:Make>", "", {"tiff:Make": ["M"]}),
        ("<dc:title>a</dc:title><dc:title xml:lang='x-default'>b</dc:title>", "", {"dc:title": ["a", "b"]}),
        ("<exif:Flash rdf:parseType='Resource'><exif:Fired>True</exif:Fired></exif:Flash>", "", {FIRED: ["True"]}),
        ("<exif:Flash exif:Fired='True' exif:Mode='0'/>", "", {FIRED: ["True"]}),
        ("<exif:Flash><rdf:Description exif:Fired='True'/></exif:Flash>", "", {FIRED: ["True"]}),
        ("<exif:Flash><rdf:Description><exif:Fired>True</exif:Fired></rdf:Description></exif:Flash>", "",
         {FIRED: ["True"]}),
        ("<exif:Flash><crs:a xmlns:exif='u'><exif:Fired>True</exif:Fired></crs:a></exif:Flash>", "", {}),
        ("<exif:Flash><exif:Fired><crs:b/></exif:Fired></exif:Flash><dc:title>a</dc:title>", "", {"dc:title": ["a"]}),
        ("<exif:Fired>True</exif:Fired>", "", {}),
        ("", "dc:title='\"a\"' tiff:Make='b'", {"dc:title": ['"a"'], "tiff:Make": ["b"]}),
        ("", 'dc:title="a\nb"', {"dc:title": ["a b"]}),
        ("<q:title>a</q:title>", 'xmlns:q="http://purl.org/dc/elements/1.1&#47;"', {"dc:title": ["a"]}),
        ("<dc:title xmlns:dc='urn:x'>a</dc:title><dc:title>b</dc:title>", "", {"dc:title": ["b"]}),
        ("<aux:Lens>a</aux:Lens>", 'xmlns:aux="http://example.org/"', {}),
        ("<aux:Lens>a</aux:Lens><foo:bar>b</foo:bar>", "", {"aux:Lens": ["a"]}),
        ("<dc:title><rdf:Alt rdf:value='no'><rdf:li>a</rdf:li></rdf:Alt></dc:title>", "", {"dc:title": ["a"]}),
        ("<dc:title rdf:parseType='Resource'><rdf:value>a</rdf:value><crs:q>b</crs:q></dc:title>", "",
         {"dc:title": ["a"]}),
        ("<dc:title><rdf:Description><crs:q>b</crs:q><rdf:value>a</rdf:value></rdf:Description></dc:title>", "",
         {"dc:title": ["a"]}),
        ("<dc:subject><rdf:Bag><rdf:li rdf:parseType='Resource'><rdf:value>a</rdf:value><crs:q>b</crs:q></rdf:li>"
         "<rdf:li>c</rdf:li></rdf:Bag></dc:subject>", "", {"dc:subject": ["a", "c"]}),
        ("</rdf:Description><crs:Node dc:title='no'/><rdf:Description>", "", {}),
        ("<title>a</title>", 'xmlns="http://purl.org/dc/elements/1.1/"', {"dc:title": ["a"]}),
        ("", 'xmlns="http://purl.org/dc/elements/1.1/" title="a"', {}),
        ("<title xmlns='urn:x'>a</title>", 'xmlns="http://purl.org/dc/elements/1.1/"', {}),
        ("<xmp:Rating><rdf:Description rdf:value='4' crs:q='1'/></xmp:Rating>", "", {"xmp:Rating": ["4"]}),
        ("<dc:subject><rdf:Bag><rdf:li><rdf:Description rdf:value='a' crs:q='1'/></rdf:li><rdf:li>b</rdf:li></rdf:Bag>"
         "</dc:subject>", "", {"dc:subject": ["a", "b"]}),
        ("<dc:subject><rdf:Bag><rdf:li><rdf:Description><rdf:value>a</rdf:value><crs:q>1</crs:q></rdf:Description>"
         "</rdf:li></rdf:Bag></dc:subject>", "", {"dc:subject": ["a"]}),
    ],
)  # fmt: skip
def test_properties(properties: str, attributes: str, expected: dict[str, list[str]]) -> None:
    assert read(packet(properties, attributes)) == (expected, [])


def test_an_item_keeps_its_language() -> None:
    data = packet(
        "<dc:title><rdf:Alt><rdf:li xml:lang='de'>a</rdf:li><rdf:li>b</rdf:li></rdf:Alt></dc:title>"
    )
    assert read_properties(data, lambda _: None) == {"dc:title": [("de", "a"), (None, "b")]}


@pytest.mark.parametrize("value", ["a\0b", "a\x1fb", "a\uffffb"])
def test_what_is_no_character_of_xml_is_no_value(value: str) -> None:
    for data in (packet(f"<dc:title>{value}</dc:title>"), packet("", f'dc:title="{value}"')):
        properties, warnings = read(data)
        assert properties == {}
        assert "damaged" in warnings[0]


def test_many_declarations_cost_little() -> None:
    declared = " ".join(f'xmlns:q{n}="http://ns.adobe.com/exif/1.0/"' for n in range(10_000))
    flipping = "<a xmlns:dc=''/><a xmlns:dc='http://purl.org/dc/elements/1.1/'/>" * 10_000
    assert read(packet(flipping + "<dc:title>T</dc:title>", declared)) == ({"dc:title": ["T"]}, [])


def test_what_is_not_wanted_is_passed_over() -> None:
    look = f"<crs:Look>{'<crs:a/>' * 20_000}<dc:title>no</dc:title></crs:Look><dc:title>T</dc:title>"
    assert read(packet(look, 'crs:Settings="' + "A" * 500_000 + '"')) == ({"dc:title": ["T"]}, [])


# --- against ElementTree ------------------------------------------------------------------------------------

NAMES = (
    "dc:title", "dc:subject", "dc:creator", "tiff:Make", "tiff:Orientation", "xmp:Rating", "xap:CreatorTool",
    "exif:Flash", "exif:FNumber", "crs:Look", "q:title",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(["a", "é", " ", "5", "\n", "/&gt;", "&amp;", "&#233;"]), max_size=4).map(
    "".join
)


def attributes(draw: st.DrawFn, names: tuple[str, ...] = NAMES) -> str:
    # Of the two prefixes of one namespace only one: an attribute may not stand twice.
    chosen = draw(st.lists(st.sampled_from(names), max_size=4, unique_by=lambda name: name.partition(":")[2]))
    return "".join(f' {name}="{draw(TEXTS)}"' for name in chosen)


def item(draw: st.DrawFn) -> str:
    forms = (
        "<rdf:li>{}</rdf:li>",
        '<rdf:li xml:lang="de">{}</rdf:li>',
        "<rdf:li><crs:a>{}</crs:a></rdf:li>",
        '<rdf:li xml:lang="de"><crs:a>b</crs:a><rdf:value>{}</rdf:value></rdf:li>',
    )
    return draw(st.sampled_from(forms)).format(draw(TEXTS))


def content(draw: st.DrawFn) -> str:
    array = draw(st.sampled_from(["rdf:Bag", "rdf:Seq", "rdf:Alt", "crs:a"]))
    items = "\n".join(item(draw) for _ in range(draw(st.integers(0, 3))))
    text = draw(TEXTS)
    forms = (
        text,
        f" <{array}> {items} </{array}> ",
        f"<exif:Fired>{text}</exif:Fired>",
        f"<rdf:value>{text}</rdf:value><crs:a>b</crs:a>",
        f"<rdf:Description{attributes(draw, ('exif:Fired', 'exif:Mode', 'dc:title'))}>"
        f"<exif:Fired>{text}</exif:Fired><dc:title>{text}</dc:title></rdf:Description>",
        f"<!-- {array} --><crs:Look><dc:title>{text}</dc:title></crs:Look>",
    )
    return draw(st.sampled_from(forms))


def declarations(draw: st.DrawFn) -> str:
    return "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in draw(st.sampled_from(RENAMED)).items())


def element(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(NAMES))
    more = attributes(draw, ("rdf:resource", "rdf:value", "exif:Fired", "crs:x"))
    if draw(st.integers(0, 7)) == 0:
        more += declarations(draw)
    return f"<{name}{more}>{content(draw)}</{name}>"


@st.composite
def packets(draw: st.DrawFn) -> str:
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in DECLARED.items())
    descriptions = [
        f"<rdf:Description{attributes(draw)}{declarations(draw) if draw(st.integers(0, 7)) == 0 else ''}>"
        f"{''.join(element(draw) for _ in range(draw(st.integers(0, 4))))}</rdf:Description>"
        for _ in range(draw(st.integers(0, 2)))
    ]
    return f"<x:xmpmeta xmlns:x='adobe:ns:meta/'{declared}><rdf:RDF>{''.join(descriptions)}</rdf:RDF></x:xmpmeta>"


def called(name: str) -> str:
    """{namespace}local as prefix:local."""
    uri, _, local = name.removeprefix("{").rpartition("}")
    return f"{PREFIXES[uri]}:{local}" if uri in PREFIXES else ""


def expected(root: ElementTree.Element) -> dict[str, Values]:
    """The wanted properties by another way: a tree, and a search in it."""
    found: dict[str, Values] = {}

    def add(name: str, language: str | None, text: str | None) -> None:
        if name in keys("XMP") and text and text.strip():
            found.setdefault(name, []).append((language, text.strip()))

    def structure(element: ElementTree.Element, name: str, level: int, around: str | None = None) -> None:
        value_of = called(element.tag) == "rdf:value" and level > 2
        language = element.get("{http://www.w3.org/XML/1998/namespace}lang") or (around if value_of else None)
        for attribute, value in element.attrib.items():
            add(f"{name}/{called(attribute)}", None, value)
            if level == 2 and called(attribute) in ("rdf:resource", "rdf:value"):
                add(name, None, value)
        for child in element:
            if f"{name}/{called(child.tag)}" in keys("XMP"):
                add(f"{name}/{called(child.tag)}", None, None if len(child) else child.text)
            elif level < 4 or called(child.tag) == "rdf:value":
                structure(child, name, level + 1, language)
        if not len(element) and (level == 2 or (level == 4 and called(element.tag) == "rdf:li") or value_of):
            add(name, language, element.text)

    wanted = {name.partition("/")[0] for name in keys("XMP")}
    for description in root.iter(f"{{{RDF}}}RDF"):
        for each in description:
            for attribute, value in each.attrib.items():
                add(called(attribute), None, value)
            for property_ in each:
                if called(property_.tag) in wanted:
                    structure(property_, called(property_.tag), 2)
    return found


@given(packets())
def test_a_packet_reads_as_its_tree(text: str) -> None:
    warnings: list[str] = []
    properties = read_properties(text.encode(), warnings.append)
    assert warnings == []
    stated = {name: values for name, values in properties.items() if name in keys("XMP")}
    assert {name: sorted(values, key=str) for name, values in stated.items()} == {
        name: sorted(values, key=str) for name, values in expected(ElementTree.fromstring(text)).items()
    }
