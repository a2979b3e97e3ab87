"""The real functions' packages: each brings all that it imports, and no more than it should weigh."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.benchmarks import cold_start
from tests.support.packages import built_packages
from tools.deploy import package

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = package.function_names(ROOT / "lambdas")
# With several workers the tests run on one: the others would wait while it makes what all of them use.
pytestmark = pytest.mark.xdist_group("packages")

# Megabytes; a cold start fetches and unpacks the zip.
USUAL_LIMIT = 3
LIMITS = {
    "analyse_image": 12,
    "authorize": 8,
    "compact_catalogue": 24,
    "preview_image": 12,
    "s3_file_event": 10,
    "search_images": 27,
    "upload_image": 10,
}

# Imports a function where only Python and what Lambda's runtime brings are beside its package: the handler first, then
# whatever the loaded modules of ours import when one of their functions is called.
IMPORT = (
    """
import ast, importlib, importlib.util, pathlib, sys

package, site = sys.argv[1:]
"""
    + cold_start.RUNTIME
    + """
def imported(tree, package):
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from ((alias.name, []) for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                    yield base, [alias.name for alias in node.names]

sys.path.insert(0, package)
import lambda_function
if clients := sys.modules.get("image_catalogue.clients"):
    assert any(make.cache_info().currsize for make in (clients.s3, clients.dynamodb)), "no client is made at init"
assert "boto3" not in sys.modules, "botocore's clients do without it"
ours = {path.parent.name for path in pathlib.Path(package).glob("image_*/__init__.py")} | {"lambda_function"}
seen = set()
while new := {name for name in sys.modules if name.partition(".")[0] in ours} - seen:
    for name in new:
        module = sys.modules[name]
        for base, names in imported(ast.parse(pathlib.Path(module.__file__).read_bytes()), module.__package__):
            found = importlib.import_module(base)
            for wanted in names:
                hasattr(found, wanted) or importlib.import_module(f"{base}.{wanted}")
    seen |= new
print(len(seen))
"""
)


@pytest.fixture(scope="module")
def build() -> Path:
    """Every function, built for this machine."""
    return built_packages()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_package_brings_all_that_its_function_imports(build: Path, tmp_path: Path, function: str) -> None:
    with zipfile.ZipFile(build / f"{function}.zip") as archive:
        archive.extractall(tmp_path)
    site = Path(pytest.__file__).parents[1]
    command = [sys.executable, "-I", "-S", "-c", IMPORT, str(tmp_path), str(site)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_package_is_no_larger_than_it_should_be(build: Path, function: str) -> None:
    assert (build / f"{function}.zip").stat().st_size < LIMITS.get(function, USUAL_LIMIT) * 1_000_000
