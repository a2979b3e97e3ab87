"""The record's fields, the routes' query parameters and Terraform's variables: code and documents state the same.

Each check runs both ways: what the code has and a document lacks fails, and so does what only a document has.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin
from urllib.parse import parse_qs, urlsplit

import hcl2
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from image_api.handlers import get_image, upload_image
from image_api.request import Request
from image_catalogue import settings
from image_catalogue.errors import MissingSetting
from image_catalogue.filters import FILTERS
from image_catalogue.items import COUNTED, public
from image_catalogue.records import PIXELS, record_of
from image_metadata import formats
from image_metadata.fields import FIELDS
from image_metadata.formats import pillow
from image_metadata.model import record_fields
from tests.contract.declared import (
    ROOT,
    TERRAFORM,
    declared_functions,
    declared_routes,
    declared_variables,
    labelled,
    local_value,
    plain,
)
from tests.contract.documents import (
    assert_same,
    code_in,
    openapi,
    operation,
    parameters,
    readme_table,
    resolved,
    table,
)
from tests.contract.test_functions import FUNCTIONS, environment_of, settings_read
from tests.contract.test_routes import requests_in_postman
from tests.support.api import module_of
from tests.support.fields import name_in_record
from tests.support.table import aws_account
from tests.unit.api.test_metadata import FITTING
from tools.deploy import cost, credentials, deploy, wheels
from tools.dev import architecture

ROUTES = sorted(declared_routes())
VARIABLES = declared_variables()
#: Figures of the summary that are looked up, where there is an image.
EXTREMES = ("highest_size_image", "lowest_size_image")
DOCUMENTS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))


# --- the record -----------------------------------------------------------------------------------------


@cache
def fields_in_code() -> set[str]:
    """Every field that a record can have: `size`, `camera.make`, ..."""
    read = {name.partition(".")[0]: 1 for name in record_fields()}
    given = {
        name: parameter.default if name == "gps" else name
        for name, parameter in inspect.signature(record_of).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    names = set(public(record_of(read, **given)))
    found = {name for name in names if name not in read} | set(record_fields())
    return found | {f"pixels.{name}" for name in PIXELS}


def properties(schema: dict[str, Any], before: str = "") -> dict[str, dict[str, Any]]:
    """The properties of an object's schema, those of its objects by dotted names."""
    found: dict[str, dict[str, Any]] = {}
    for name, entry in schema["properties"].items():
        described = resolved(entry)
        inner = properties(described, f"{before}{name}.") if "properties" in described else {}
        found |= inner or {before + name: described}
    return found


def fields_in_openapi() -> dict[str, dict[str, Any]]:
    return properties(openapi()["components"]["schemas"]["Record"])


def test_the_readme_names_every_field_of_the_record() -> None:
    stated = [name for row in readme_table("Field") for name in code_in(row[0])]
    assert len(stated) == len(set(stated)), "a field is stated twice"
    assert_same(stated, fields_in_code(), "README.md, table of fields,")


def test_no_description_in_the_openapi_document_ends_at_a_comma() -> None:
    """Without quotes, what follows one within braces is a member of its own, without a value."""

    def cut(value: Any) -> list[str]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        here = [name for name, held in value.items() if held is None] if isinstance(value, dict) else []
        return here + [name for each in inner for name in cut(each)]

    assert cut(openapi()) == []


def test_the_openapi_document_describes_every_field_of_the_record() -> None:
    assert_same(fields_in_openapi(), fields_in_code(), "docs/openapi.yaml, schema Record,")


def json_type(hint: Any) -> str:
    """What JSON Schema calls an annotation of the record, None apart."""
    if isinstance(hint, UnionType):
        (hint,) = [each for each in get_args(hint) if each is not NoneType]
    kinds: dict[Any, str] = {int: "integer", float: "number", str: "string", bool: "boolean"}
    kinds |= {tuple: "array", list: "array", Sequence: "array"}
    return kinds[get_origin(hint) or hint]


def test_a_field_has_the_type_that_the_openapi_document_states() -> None:
    described = fields_in_openapi()
    for name, hint in record_fields().items():
        stated = described.get(name, {}).get("type")
        assert stated == json_type(hint), f"docs/openapi.yaml, schema Record: type of {name}"


def test_a_number_has_the_bounds_that_the_openapi_document_states() -> None:
    described = fields_in_openapi()
    bounded = {name_in_record(field): field.bounds for field in FIELDS.values() if field.bounds}
    assert bounded
    for name, bounds in bounded.items():
        stated = tuple(described.get(name, {}).get(end) for end in ("minimum", "maximum"))
        assert stated == bounds, f"docs/openapi.yaml, schema Record: minimum and maximum of {name}"


def examples(node: Any, place: str = "#") -> Iterator[tuple[str, Any]]:
    """Every example of the OpenAPI document, with the place of the schema that it is of."""
    if isinstance(node, list):
        node = {str(index): child for index, child in enumerate(node)}
    if not isinstance(node, dict):
        return
    if "schema" in node:
        for example in node.get("examples", {}).values():
            yield f"{place}/schema", resolved(example)["value"]
        if "example" in node:
            yield f"{place}/schema", node["example"]
    for name, child in node.items():
        yield from examples(child, f"{place}/{name.replace('~', '~0').replace('/', '~1')}")


def test_every_example_is_what_its_schema_admits() -> None:
    document: Resource[Any] = DRAFT202012.create_resource(openapi())
    registry = Registry[Any]().with_resource("openapi", document)
    found = list(examples(openapi()))
    assert found
    for place, value in found:
        Draft202012Validator({"$ref": f"openapi{place}"}, registry=registry).validate(value)


def test_the_extractors_document_lists_every_format() -> None:
    """A row for each reader, in the order in which they are asked."""
    stated = [[code_in(cell) for cell in row[:3]] for row in table("docs/extractor.md", "format")]
    read = [
        [[name for name in dict.fromkeys(names) if name] for names in zip(*module.TYPES, strict=True)]
        for module in (*formats.READERS, *formats.WITHOUT_SIGNATURE, pillow)
    ]
    lacking = [row for row in read if row not in stated]
    beyond = [row for row in stated if row not in read]
    assert not lacking and not beyond, f"docs/extractor.md, table of formats, lacks {lacking}, has {beyond}"
    assert stated == read, "docs/extractor.md: the formats' order is that of READERS"


def test_every_format_that_is_read_here_is_named_in_the_tests() -> None:
    """Pillow's own formats are Pillow's to test."""
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/unit/extractor").glob("*.py"))
    read = [kind for module in (*formats.READERS, *formats.WITHOUT_SIGNATURE) for kind in module.TYPES]
    untold = [kind.format for kind in read if f'"{kind.format}"' not in tests]
    assert not untold, f"no test in tests/unit/extractor expects {untold}"


# --- query parameters -----------------------------------------------------------------------------------


class _Asked(Exception):
    """Ends a handler once it has said which parameters it takes."""


class _Asking(Request):
    """A request that notes which query parameters its handler knows."""

    def parameters(self, *known: str) -> dict[str, str]:
        raise _Asked(*known)


@pytest.fixture(scope="module")
def parameters_in_code() -> dict[str, set[str]]:
    """Route -> the query parameters that its function takes."""
    found: dict[str, set[str]] = {}
    with aws_account() as patch:
        for name in ("BUCKET_NAME", "TABLE_NAME"):
            patch.setenv(name, "there")  # some handlers make a client first
        for function in sorted(set(declared_routes().values())):
            for route, handler in module_of(function).ROUTES.items():
                with pytest.raises(_Asked) as asked:
                    handler(_Asking(route, {"image_id": "cat.jpg"}, {}, {}, "", False, ""))
                found[route] = set(asked.value.args)
    return found


def parameters_in_readme(route: str) -> set[str]:
    """The second column of the table of routes: parameters, or the route whose parameters it takes."""
    cells = {code_in(row[0])[0]: code_in(row[1]) for row in readme_table("Route")}
    assert route in cells, f"README.md, table of routes, lacks {route}"
    stated = cells[route]
    return parameters_in_readme(stated[0]) if stated and " " in stated[0] else set(stated)


def parameters_in_openapi(route: str) -> set[str]:
    return {described["name"] for described in parameters(operation(route), "query")}


@pytest.mark.parametrize("route", ROUTES)
def test_the_readme_names_every_query_parameter(route: str, parameters_in_code: dict[str, set[str]]) -> None:
    assert_same(parameters_in_readme(route), parameters_in_code[route], f"README.md, parameters of {route},")


@pytest.mark.parametrize("route", ROUTES)
def test_the_openapi_document_describes_every_query_parameter(
    route: str, parameters_in_code: dict[str, set[str]]
) -> None:
    assert_same(
        parameters_in_openapi(route), parameters_in_code[route], f"docs/openapi.yaml, parameters of {route},"
    )


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_takes_the_texts_that_the_openapi_document_states(name: str) -> None:
    assert name in FITTING, "show what it finds"
    (described,) = [each for each in parameters(operation("GET /metadata"), "query") if each["name"] == name]
    schema = resolved(described["schema"])
    value = FITTING[name][0]
    bounds = {schema.get(bound, len(value)) for bound in ("minLength", "maxLength")}
    lengths = {near for bound in bounds for near in (bound - 1, bound, bound + 1)} | {20_000}
    texts = [(value * length)[:length] for length in sorted(lengths)]
    texts += [each for part in ("a" * 64, "a" * 65) for each in (f"{part}/b", f"b/{part}")]
    for text in [value, *texts, "\0", "a\0"]:
        taken, stated = bool(FILTERS[name].accepts(text)), Draft202012Validator(schema).is_valid(text)
        assert taken == stated, f"docs/openapi.yaml, {name}: is {text[:70]!r}, {len(text)} characters, one?"


def test_the_postman_collection_uses_every_query_parameter(parameters_in_code: dict[str, set[str]]) -> None:
    used = {name for _, address in requests_in_postman() for name in parse_qs(urlsplit(address).query)}
    lacking = set().union(*parameters_in_code.values()) - used
    assert not lacking, f"no request of the Postman collection uses {lacking}"


def test_the_openapi_document_describes_every_figure_of_the_summary() -> None:
    summary = openapi()["components"]["schemas"]["Summary"]
    assert_same(summary["properties"], {*COUNTED, *EXTREMES}, "docs/openapi.yaml, schema Summary,")
    assert_same(summary["required"], COUNTED, "docs/openapi.yaml, schema Summary, required,")


def test_the_readme_names_every_figure_of_the_summary() -> None:
    cells = {code_in(row[0])[0]: code_in(row[2]) for row in readme_table("Route")}
    assert_same(cells["GET /images/info"], {*COUNTED, *EXTREMES}, "README.md, GET /images/info,")


def test_the_openapi_document_states_how_long_an_images_address_works() -> None:
    described = openapi()["components"]["responses"]["Elsewhere"]
    assert f"for {get_image.PRESIGNED_SECONDS // 60} minutes" in described["description"]
    assert described["headers"]["Location"]["example"].endswith(
        f"X-Amz-Expires={get_image.PRESIGNED_SECONDS}"
    )


def test_the_threats_document_states_how_long_an_uploads_form_works() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    assert f"pins key, type, size range and {upload_image.PRESIGNED_SECONDS // 60} minutes" in text


# --- Terraform's variables ------------------------------------------------------------------------------


def stated_value(text: str) -> tuple[str, Any]:
    """Name and value of `name = value`, as Terraform reads it."""
    ((name, value),) = hcl2.loads(text + "\n").items()
    return name, plain(value)


def test_the_readme_states_every_variable_with_its_default() -> None:
    stated = [
        stated_value(entry) for row in readme_table("Variable and its default") for entry in code_in(row[0])
    ]
    assert len(stated) == len(dict(stated)), "a variable is stated twice"
    assert_same(dict(stated), VARIABLES, "README.md, table of variables,")
    assert dict(stated) == {name: body["default"] for name, body in VARIABLES.items()}


def test_the_example_sets_variables_that_there_are_to_values_of_their_type() -> None:
    text = (TERRAFORM / "terraform.tfvars.example").read_text(encoding="utf-8")
    stated = dict(map(stated_value, re.findall(r"^# (\w+ *= .*)$", text, re.MULTILINE)))
    assert stated
    types = {bool: "bool", int: "number", float: "number", str: "string"}
    assert {name: types[type(value)] for name, value in stated.items()} == {
        name: VARIABLES[name]["type"].strip("${}") for name in stated if name in VARIABLES
    }


def test_what_the_code_takes_for_a_missing_setting_is_the_variables_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {name: value for function in FUNCTIONS for name, value in environment_of(function).items()}
    for name in given:
        monkeypatch.delenv(name, raising=False)
    compared = set()
    for setting, (name,) in settings_read().items():
        with suppress(MissingSetting):  # has no default: Terraform must state it
            taken = getattr(settings, setting)()
            assert name in given, f"settings.py reads {name}, which Terraform gives no function"
            (reference,) = re.findall(r"(var|local)\.(\w+)", str(given[name]))
            kind, source = reference
            taken = list(taken) if isinstance(taken, tuple) else taken
            declared = VARIABLES[source]["default"] if kind == "var" else local_value(source)
            assert taken == declared, f"{name}: Terraform's default is {declared!r}"
            compared.add(name)
    assert {"MAX_UPLOAD_BYTES", "GPS", "INDEX_SHARDS", "UPLOAD_PREFIXES"} <= compared


def test_terraform_admits_the_numbers_that_the_code_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: dict[str, tuple[int, int]] = {}
    monkeypatch.setattr(settings, "_integer", lambda name, _, low, high: bounds.update({name: (low, high)}))
    for name in settings_read():
        with suppress(MissingSetting):
            getattr(settings, name)()
    assert bounds
    for name, (low, high) in bounds.items():
        number = f"var.{name.lower()}"
        validations = labelled("variable").get(name.lower(), {}).get("validation", [])
        assert [validation["condition"] for validation in validations] == [
            f"${{{number} >= {low} && {number} <= {high} && floor({number}) == {number}}}"
        ], f"variables.tf, validation of {name.lower()}"


def test_what_the_tools_take_unasked_is_the_variables_default() -> None:
    assert VARIABLES["region"]["default"] == credentials.DEFAULT_REGION
    assert VARIABLES["stage"]["default"] == deploy.DEFAULT_STAGE
    assert VARIABLES["name_prefix"]["default"] == deploy.DEFAULT_PREFIX
    assert VARIABLES["runtime"]["default"] == wheels.DEFAULT_RUNTIME
    assert VARIABLES["architecture"]["default"] == wheels.DEFAULT_ARCHITECTURE


def test_the_runtimes_and_architectures_are_those_that_there_are_packages_for() -> None:
    """What Terraform admits stands in a condition, which arrives here as text."""
    for variable, built in (("runtime", wheels.GLIBC_MINOR), ("architecture", wheels.ARCHITECTURES)):
        (validation,) = VARIABLES[variable]["validation"]
        assert set(re.findall(r'"([^"]+)"', validation["condition"])) == set(built), variable


# --- what snapshots cost --------------------------------------------------------------------------------


def test_the_cost_of_snapshots_is_that_of_the_declared_functions() -> None:
    """The rows are functions of one size; the last one is their sum, without what only tokens need."""
    kept = {}
    for name, function in declared_functions().items():
        if "routes" in function or "authorizes" in function:
            variable = re.fullmatch(r"\$\{var\.(\w+)\}", str(function["memory_mb"]))
            kept[name] = (VARIABLES[variable[1]]["default"] if variable else function["memory_mb"]) / 1024
    month = cost.SNAPSHOT_GB_SECOND * 30 * 24 * 3600
    *rows, total = table("docs/operations.md", "Functions")
    stated = {
        name: tuple(float(cell.removesuffix(" each")) for cell in cells)
        for functions, *cells in rows
        for name in code_in(functions)
        if re.fullmatch(r"[a-z_]+", name)
    }
    assert_same(stated, kept, "docs/operations.md, table of snapshots,")
    assert stated == {name: (size, round(size * month, 2)) for name, size in kept.items()}
    size = sum(size for name, size in kept.items() if name != "authorize")
    assert [float(cell) for cell in total[1:]] == [size, round(size * month, 2)]


# --- what the documents point at -------------------------------------------------------------------------


#: Files that a user makes.
MADE = {"terraform/terraform.tfvars"}


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", *DOCUMENTS])
def test_a_path_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    code = " ".join(code_in(text))
    named = {ROOT / name for name in re.findall(r"\b(?:docs|lambdas|terraform|tests|tools)/[\w./-]*\w", code)}
    linked = {(ROOT / document).parent / target for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text)}
    assert not [
        path for path in named | linked if not path.exists() and str(path.relative_to(ROOT)) not in MADE
    ]


def test_the_readme_shows_every_room() -> None:
    rooms = {path.parent for path in ROOT.glob("lambdas/shared/*/__init__.py")}
    rooms |= {path.parent for path in ROOT.glob("tools/*/__init__.py")}
    shown = {ROOT / name for row in readme_table("Folder") for name in code_in(row[0])}
    assert rooms <= shown
    assert all(path.is_dir() for path in shown)


# --- the picture of the architecture --------------------------------------------------------------------


def test_the_picture_shows_every_module_and_every_function() -> None:
    """`make architecture` draws it anew."""
    shown = set(
        re.findall(r"<text[^>]*>([^<]+)</text>", (ROOT / "docs/architecture.svg").read_text(encoding="utf-8"))
    )
    assert {name.replace("_", " ") for name in labelled("module")} <= shown
    assert set(FUNCTIONS) <= shown


def test_an_arrow_leads_from_what_refers_to_what_it_refers_to() -> None:
    dot = """
      "module.image_metadata.module.api.aws_stage.this" -> "module.image_metadata.module.api.aws_x.this";
      "module.image_metadata.module.api.aws_a.this" -> "module.image_metadata.module.functions.aws_lambda.this";
      "module.image_metadata.module.functions.aws_lambda.this" -> "module.image_metadata.data.aws_region.current";
      "module.image_metadata.aws_iam_role.batch" -> "module.image_metadata.module.functions.aws_lambda.this";
    """
    kinds, edges = architecture.read(dot)
    assert edges == {("api", "functions"), ("image_metadata", "functions")}
    assert architecture.layers(set(kinds), edges) == {"api": 1, "image_metadata": 1, "functions": 0}
