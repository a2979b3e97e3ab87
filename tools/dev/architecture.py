"""Draw docs/architecture.svg from Terraform's own graph of the resources: ``make architecture``.

A box is a module of the product with the kinds of resources in it; an arrow leads from one module to another that it
refers to.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from xml.sax.saxutils import escape

from tools.deploy.package import function_names
from tools.deploy.terraform import ROOT, Terraform, TerraformError

TARGET = ROOT / "docs" / "architecture.svg"
#: The module that is the product, with what resources it has beside its modules'; and the one that makes the functions.
PRODUCT = "image_metadata"
FUNCTIONS = "functions"
_NODE = re.compile(r'"module\.image_metadata\.(?:module\.(\w+)\.)?((?:aws|terraform)_\w+)\.\w+"')
_LINE, _PAD, _WIDTH, _GAP, _COLUMN = 18, 12, 240, 28, 340
#: Kinds that say nothing to a reader: parts of another, and Terraform's own.
_MINOR = re.compile(
    r"terraform_data|_(policy|permission|response|resource|method|integration|settings|controls|block|key|object|target"
    r"|subscription|deployment|configuration)$"
)


def read(dot: str) -> tuple[dict[str, set[str]], set[tuple[str, str]]]:
    """Module -> the kinds of its resources, and which module refers to which; data sources are left out."""
    kinds: dict[str, set[str]] = defaultdict(set)
    edges: set[tuple[str, str]] = set()
    for line in dot.splitlines():
        found = [(module or PRODUCT, kind) for module, kind in _NODE.findall(line)]
        for module, kind in found:
            kinds[module].add(kind)
        if "->" in line and len(found) == 2 and found[0][0] != found[1][0]:
            edges.add((found[0][0], found[1][0]))
    return dict(kinds), edges


def layers(modules: set[str], edges: set[tuple[str, str]]) -> dict[str, int]:
    """Module -> its column from the right: one more than the farthest of what it refers to."""
    depth: dict[str, int] = {}

    def of(module: str) -> int:
        if module not in depth:
            depth[module] = max((of(target) + 1 for source, target in edges if source == module), default=0)
        return depth[module]

    for module in modules:
        of(module)
    return depth


def draw(kinds: dict[str, set[str]], edges: set[tuple[str, str]], functions: list[str]) -> str:
    """The picture as SVG."""
    depth = layers(set(kinds), edges)
    columns = max(depth.values()) + 1
    texts = {
        module: functions
        if module == FUNCTIONS
        else sorted(kind.removeprefix("aws_") for kind in found if not _MINOR.search(kind))
        for module, found in kinds.items()
    }
    places: dict[str, tuple[int, int, int]] = {}  # left, top, height
    bottom = defaultdict(lambda: _GAP)
    for module in sorted(kinds):
        column = columns - 1 - depth[module]
        height = 2 * _PAD + _LINE * (1 + len(texts[module]))
        places[module] = (_GAP + column * _COLUMN, bottom[column], height)
        bottom[column] += height + _GAP
    parts = []
    for source, target in sorted(edges):
        left, top, height = places[source]
        to_left, to_top, to_height = places[target]
        start, end = (left + _WIDTH, top + height // 2), (to_left - 3, to_top + to_height // 2)
        middle = (start[0] + end[0]) // 2
        parts.append(
            f'<path class="arrow" d="M{start[0]} {start[1]} C{middle} {start[1]} {middle} {end[1]} {end[0]} {end[1]}"/>'
        )
    for module, (left, top, height) in places.items():
        parts.append(f'<rect x="{left}" y="{top}" width="{_WIDTH}" height="{height}" rx="6"/>')
        lines = [("name", module.replace("_", " ")), *(("kind", text) for text in texts[module])]
        for number, (style, text) in enumerate(lines):
            y = top + _PAD + _LINE * number + 13
            parts.append(f'<text class="{style}" x="{left + _PAD}" y="{y}">{escape(text)}</text>')
    width, height = 2 * _GAP + (columns - 1) * _COLUMN + _WIDTH, max(bottom.values())
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
            "<title>The modules of the product and what each refers to, from the Terraform graph</title>",
            "<style>rect{fill:#f6f8fa;stroke:#57606a}.name{font-size:14px;font-weight:bold}.kind{font-size:12px;"
            "fill:#424a53}.arrow{fill:none;stroke:#0969da;marker-end:url(#end)}</style>",
            f'<rect x="0" y="0" width="{width}" height="{height}" style="fill:#fff;stroke:none"/>',
            '<marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
            '<path d="M0 0 8 4 0 8Z" fill="#0969da"/></marker>',
            *parts,
            "</svg>\n",
        ]
    )


def main() -> int:
    """Write the picture anew."""
    terraform = Terraform(data_dir=ROOT / ".local" / "terraform-test")
    try:
        terraform.check()
        terraform.init()
        graph = terraform.said("graph")
    except TerraformError as error:
        print(f"architecture: {error}", file=sys.stderr)
        return 1
    TARGET.write_text(draw(*read(graph), function_names(ROOT / "lambdas")), encoding="utf-8")
    print(TARGET.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
