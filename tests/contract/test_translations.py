"""The pages in other languages agree in commands and names, and name what there is; so does troubleshooting.md."""

from __future__ import annotations

import re

import pytest

from tests.contract.declared import ROOT, declared_functions, labelled
from tools.deploy.deploy import parse_arguments

TRANSLATIONS = ("README.es.md", "README.pt-BR.md")
#: Of a message, what says which one it is; what the code fills in comes after it.
SOURCES = (
    "tools/deploy/*.py",
    "tools/python.sh",
    "terraform/modules/rest_api/errors.tf",
    "lambdas/shared/image_catalogue/*.py",
)
#: Messages of AWS and Terraform.
FOREIGN = {
    "ExpiredToken", "Error acquiring the state lock", "Saved plan is stale", "BucketAlreadyExists", "AccessDenied",
    "ResourceAlreadyExistsException", "iam:CreateRole", "CloudWatch Logs role ARN must be set", "BucketNotEmpty",
    "Specified ReservedConcurrentExecutions", "maximum concurrency", "Retry-After", "Interrupt received",
}  # fmt: skip


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    """What stands at a prompt."""
    return re.findall(r"^ *\$ (.+)$", text, re.MULTILINE)


def code(text: str) -> list[str]:
    """What stands in backticks, in its order; blocks of commands aside."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def unbroken(text: str) -> str:
    """Source text whose long messages are put together again, and without the words that code fills in."""
    return re.sub(r'"\s*\n\s*f?"', "", text)


SAID = unbroken(
    "\n".join(path.read_text(encoding="utf-8") for pattern in SOURCES for path in ROOT.glob(pattern))
)


def test_the_translations_are_equal_in_commands_names_and_order() -> None:
    first, second = (page(name) for name in TRANSLATIONS)
    assert commands(first) == commands(second) and len(commands(first)) >= 8
    assert code(first) == code(second)
    assert len(re.findall("^## ", first, re.MULTILINE)) == len(re.findall("^## ", second, re.MULTILINE))


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_a_translation_names_what_there_is(name: str) -> None:
    text = page(name)
    assert set(commands(text)) <= set(commands(page("README.md"))) | {"make down"}
    for command in commands(text):
        if command.startswith("./deploy.sh"):
            parse_arguments(command.split()[1:])
    words = set(code(text))
    assert set(declared_functions()) >= {
        word for word in words if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", word)
    }
    assert not (missing := set(declared_functions()) - words), f"{name} does not say what {missing} are for"
    targets = re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE)
    assert {word.split()[1] for word in commands(text) if word.startswith("make ")} <= set(targets)
    assert set(re.findall(r"TF_VAR_(\w+)=", text)) <= set(labelled("variable", ""))
    assert name in page("README.md"), "the README leads to it"


def messages(name: str, heading: str) -> list[str]:
    """The first cells' messages of the tables with this heading."""
    found: list[str] = []
    for table in re.findall(rf"^\| {heading} \|.*?(?=\n\n|\Z)", page(name), re.MULTILINE | re.DOTALL):
        for row in table.splitlines()[2:]:
            found += re.findall(r"`([^`]+)`", row.split("|")[1])
    return found


@pytest.mark.parametrize(
    ("name", "heading"),
    [("README.es.md", "Mensaje"), ("README.pt-BR.md", "Mensagem"), ("docs/troubleshooting.md", "Message"),
     ("docs/troubleshooting.md", "Answer")],
)  # fmt: skip
def test_every_message_is_one_that_is_said(name: str, heading: str) -> None:
    found = messages(name, heading)
    assert found
    for message in set(found) - FOREIGN:
        assert message in SAID or message.startswith("auth ="), f"{name}: nothing says {message!r}"
