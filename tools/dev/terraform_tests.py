"""Check the Terraform code: ``python -m tools.dev.terraform_tests fmt | test``.

``fmt`` looks at the format alone; ``test`` at that, validates, and runs ``terraform test``.
"""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

from tools.deploy.provider import kept_running
from tools.deploy.terraform import CONFIGURATION, ROOT, Terraform, TerraformError


def check_format(terraform: Terraform) -> int:
    """``terraform fmt -check`` over the configuration and the examples."""
    check = ("fmt", "-check", "-recursive", "-diff")
    code = terraform.run(*check) or terraform.run(*check, str(ROOT / "examples"))
    if code:
        print("terraform_tests.py: the files above are not formatted; run: make format", file=sys.stderr)
    return code


def run_tests(terraform: Terraform) -> int:
    """``terraform test`` on every core; prints what each process of it says as it ends. 0 when all pass."""
    # A process spends seconds before its first test. The files that test the whole product last longer than that, so
    # they have one each, and start first; the others share one.
    texts = {
        file.name: file.read_text(encoding="utf-8") for file in (CONFIGURATION / "tests").glob("*.tftest.hcl")
    }
    whole = sorted(
        (name for name in texts if 'image_metadata"' in texts[name]), key=lambda name: -len(texts[name])
    )
    shares = [*([name] for name in whole), [name for name in texts if name not in whole]]
    failed: list[str] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tests = {
            pool.submit(
                terraform.capture, "test", "-no-color", *(f"-filter=tests/{name}" for name in share)
            ): share
            for share in shares
        }
        try:
            for test in as_completed(tests):
                print(test.result().stdout + test.result().stderr, end="", flush=True)
                if test.result().returncode:
                    named = re.findall(r"^tests.(\S+)\.\.\. fail$", test.result().stdout, re.MULTILINE)
                    # Where Terraform was ended, its other files were not tested either.
                    failed += named if named and test.result().returncode > 0 else tests[test]
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    if failed:
        print(f"terraform_tests.py: failed: {', '.join(sorted(failed))}", file=sys.stderr)
    return 1 if failed else 0


def main(arguments: list[str]) -> int:
    """Run the checks named on the command line; 0 when all pass."""
    if arguments not in (["fmt"], ["test"]):
        print(__doc__, file=sys.stderr)
        return 2
    # Mocks take the provider's place: nobody's authorities are asked for.
    terraform = Terraform({"AWS_CA_BUNDLE": ""}, data_dir=ROOT / ".local" / "terraform-test")
    try:
        terraform.check()
        code = check_format(terraform)
        if code or arguments == ["fmt"]:
            return code
        terraform.init(tests=True)
        with kept_running(terraform):
            # Each test validates its own configurations, so they need not be validated twice.
            return terraform.run("validate", "-no-tests", "-no-color") or run_tests(terraform)
    except TerraformError as error:
        print(f"terraform_tests.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nterraform_tests.py: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
