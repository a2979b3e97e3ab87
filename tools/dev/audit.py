"""Look for known vulnerabilities in what is pinned, and for weak settings in the Terraform code: ``make audit``.

pip-audit asks the Python package index for advisories and checkov reads ``terraform/``; both live in an environment of
their own. A dependency that the index says nothing about was not audited, and that is a failure too: silence is not
an answer. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.deploy.environment import SetupError, prepare

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "audit.txt"
ENVIRONMENT = ROOT / ".local" / "audit"


@dataclass
class Advisories:
    """What an index said of some pinned dependencies: each name with what was found."""

    clean: list[str] = field(default_factory=list)
    vulnerable: dict[str, list[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, report: dict[str, Any]) -> Advisories:
        """From pip-audit's JSON report."""
        found = cls()
        for dependency in report["dependencies"]:
            name = f"{dependency['name']} {dependency.get('version', '')}".strip()
            if "skip_reason" in dependency:
                found.unknown.append(name)
            elif dependency["vulns"]:
                found.vulnerable[name] = [
                    f"{flaw['id']} (fixed in {', '.join(flaw['fix_versions']) or 'no version'})"
                    for flaw in dependency["vulns"]
                ]
            else:
                found.clean.append(name)
        return found

    @property
    def passed(self) -> bool:
        """Whether every dependency is known to be without an advisory."""
        return not self.vulnerable and not self.unknown

    def __str__(self) -> str:
        lines = [f"{len(self.clean)} without advisories"]
        lines += [f"{name}: {', '.join(flaws)}" for name, flaws in sorted(self.vulnerable.items())]
        if self.unknown:
            lines.append(f"{len(self.unknown)} NOT AUDITED: the package index here gives no advisories")
        return "; ".join(lines)


def pinned() -> list[Path]:
    """Every locked requirements file: of the functions first, then of tests and tools."""
    return [*sorted(ROOT.glob("lambdas/*/requirements.txt")), *sorted(ROOT.glob("requirements/*.txt"))]


def advisories(folder: Path, requirements: Path) -> Advisories:
    """Ask for the advisories of one locked file; everything is unknown when nobody answers."""
    done = subprocess.run(
        [
            str(folder / "pip-audit"),
            *("--requirement", str(requirements), "--require-hashes", "--disable-pip", "--format", "json"),
            *("--progress-spinner", "off", "--desc", "off", "--timeout", "15"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return Advisories.of(json.loads(done.stdout))
    except (ValueError, KeyError):
        return Advisories(
            unknown=[done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer"]
        )


def weaknesses(folder: Path, terraform: Path) -> list[str]:
    """What checkov finds, one line each; a file that it cannot read, and passes over in silence, among it."""
    done = subprocess.run(
        [
            *(str(folder / "checkov"), "--directory", str(terraform), "--framework", "terraform"),
            *("--skip-download", "--output", "json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        results = json.loads(done.stdout)["results"]
    except (ValueError, KeyError):
        return [f"NOT CHECKED: {(done.stderr or done.stdout).strip()[-500:] or 'checkov does not answer'}"]
    return [
        *(f"NOT CHECKED, since checkov cannot read it: {path}" for path in results["parsing_errors"]),
        *(
            f"{check['check_id']} {check['check_name']}: {check['resource']} "
            f"({check['file_path']}:{check['file_line_range'][0]})"
            for check in results["failed_checks"]
        ),
    ]


def main() -> int:
    """Run both; 0 when everything was looked at and nothing was found."""
    argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0]).parse_args()
    try:
        folder = prepare(
            ENVIRONMENT, REQUIREMENTS, exact=True, notice="Installing the audit tools (once)"
        ).parent
    except SetupError as error:
        print(f"audit.py: {error}", file=sys.stderr)
        return 1
    asked = {path: advisories(folder, path) for path in pinned()}
    for path, answer in asked.items():
        print(f"{path.relative_to(ROOT)}: {answer}")
    weak = weaknesses(folder, ROOT / "terraform")
    print(f"terraform: {len(weak)} weaknesses", *weak, sep="\n  ")
    passed = not weak and all(answer.passed for answer in asked.values())
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
