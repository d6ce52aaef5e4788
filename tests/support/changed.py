"""The tests that a change can reach, by the graph of imports; `make test-changed` runs them, the nearest ones first.

A test reaches the modules that its file names, those that its fixtures and support modules use, and all that these
import. A whole run of Kedro reaches every pipeline. A change of a file that is no module has the tests of its folder.
"""

import ast
import re
import subprocess
import sys
from collections import deque
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
# What tests of several packages import, by its name; see `pythonpath` in pyproject.toml.
SUPPORT = {
    path.stem: path
    for folder in ("support", "crashes", "documents")
    for path in (TESTS / folder).glob("*.py")
}
WHOLE_RUN = re.compile(r'"kedro"|\bKedroSession\b|\bbootstrap_project\b')
# They hold the whole project against its rules.
ALWAYS = TESTS / "contracts"
MAX_DISTANCE = 1_000


@cache
def build_graph() -> grimp.ImportGraph:
    return grimp.build_graph("rnn_pipelines", cache_dir=None)


def name_module(path: Path) -> str:
    """The module of a file below `src`."""
    parts = path.relative_to(ROOT / "src").with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def find_definition(package: str, name: str) -> str:
    """The module that `from package import name` means."""
    if f"{package}.{name}" in build_graph().modules:
        return f"{package}.{name}"
    init = ROOT / "src" / package.replace(".", "/") / "__init__.py"
    for node in ast.walk(parse(init)) if init.exists() else ():
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            return str(node.module)
    return package


@cache
def list_imports(path: Path) -> dict[str, str]:
    """The module that each imported name of a test file comes from; support modules by their own name."""
    imports: dict[str, str] = {}
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module = find_definition(str(node.module), alias.name)
                imports[alias.asname or alias.name] = module
        elif isinstance(node, ast.Import):
            imports |= {alias.asname or alias.name: alias.name for alias in node.names}
    return imports


@cache
def list_definitions(path: Path) -> dict[str, set[str]]:
    """The words of each function and class of a file."""
    return {
        node.name: set(re.findall(r"\w+", ast.unparse(node)))
        for node in parse(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def list_used(conftest: Path, names: set[str]) -> set[str]:
    """The modules that the fixtures and functions with these names use, with all that they call."""
    definitions = list_definitions(conftest)
    reached = definitions.keys() & names
    waiting = list(reached)
    while waiting:
        called = (definitions.keys() & definitions[waiting.pop()]) - reached
        reached |= called
        waiting += called
    words = set[str]().union(*(definitions[name] for name in reached))
    return {module for name, module in list_imports(conftest).items() if name in words}


@cache
def list_reached(path: Path) -> frozenset[str]:
    """The modules that a test file or support module names itself or through its fixtures and support modules."""
    text = path.read_text()
    modules = {*list_imports(path).values(), *re.findall(r"\brnn_pipelines(?:\.\w+)+", text)}
    names = set(re.findall(r"\w+", text))
    for folder in path.parents:
        if folder.is_relative_to(TESTS) and (folder / "conftest.py").exists():
            modules |= list_used(folder / "conftest.py", names)
    if WHOLE_RUN.search(text):
        modules.add("rnn_pipelines.pipelines")
        modules |= build_graph().find_descendants("rnn_pipelines.pipelines")
    supports = [SUPPORT[name] for name in modules if name in SUPPORT and SUPPORT[name] != path]
    return frozenset(modules.union(*map(list_reached, supports)))


def measure_distances(modules: set[str]) -> dict[str, int]:
    """The number of imports between the nearest of some modules and each one that is reached from it."""
    distances = dict.fromkeys(modules, 0)
    waiting = deque(modules & build_graph().modules)
    while waiting:
        module = waiting.popleft()
        for importer in build_graph().find_modules_that_directly_import(module) - distances.keys():
            distances[importer] = distances[module] + 1
            waiting.append(importer)
    return distances


def find_tests(modules: set[str], max_distance: int = MAX_DISTANCE) -> list[Path]:
    """The test files that reach one of some modules over so many imports, the nearest ones first."""
    distances = measure_distances(modules)
    tests = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        reached = [distances[module] for module in list_reached(path) if module in distances]
        if reached and min(reached) <= max_distance:
            tests[path] = min(reached)
    return sorted(tests, key=lambda path: tests[path])


def list_changed() -> list[Path]:
    """The files that differ from where this branch left `main`, also those that git doesn't have yet."""

    def run_git(*words: str) -> list[str]:
        done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
        return done.stdout.splitlines()

    (base,) = run_git("merge-base", "main", "HEAD")
    changed = run_git("diff", "--name-only", base)
    return [ROOT / name for name in changed + run_git("ls-files", "--others", "--exclude-standard")]


def choose_tests(changed: list[Path], max_distance: int = MAX_DISTANCE) -> list[Path]:
    """The tests of changed files: those themselves, those that reach them, and the contracts; none without a change."""
    tests = [path for path in changed if path.match("tests/**/test_*.py") and path.exists()]
    modules: set[str] = set()
    for path in changed:
        folder = path.parent
        if path.is_relative_to(ROOT / "src"):
            siblings = [path] if path.suffix == ".py" else folder.glob("*.py")
            modules |= {name_module(sibling) for sibling in siblings}
        elif path.stem in SUPPORT:
            modules.add(path.stem)
        elif path.is_relative_to(TESTS) and path not in tests:
            tests += sorted(folder.rglob("test_*.py")) or sorted(folder.parent.glob("test_*.py"))
    tests += find_tests(modules, max_distance)
    return list(dict.fromkeys([*tests, *([ALWAYS] if changed else [])]))


def main() -> None:
    """Print the tests for pytest; the argument is the largest number of imports between a test and the change."""
    max_distance = int(sys.argv[1]) if sys.argv[1:] else MAX_DISTANCE
    print(*(path.relative_to(ROOT) for path in choose_tests(list_changed(), max_distance)))


if __name__ == "__main__":
    main()
