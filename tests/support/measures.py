"""Measures of the source, from its own text: tokens, density, imports, names and tests; printed by `make measure`.

Lines have no ceiling. What is counted is what a reader holds in mind.
"""

import ast
import io
import statistics
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
TESTS = ROOT / "tests"
PACKAGE = "rnn_pipelines"
# The largest value of each measure that we want.
GOALS = {
    "tokens": 325_000,
    "tokens in a line of code": 9,
    "parallel assignments of more than names and constants": 150,
    "starred literals": 0,
    "calls of vars": 0,
    "dictionaries merged in place": 0,
    "imports in functions": 80,
    "imports in functions, of own modules": 10,
    "longest chain of imports": 18,
    "public names of two modules": 20,
    "dict[str, Any]": 100,
    "statements of the longest body": 40,
    "tests with 'and' in the name, percent": 8,
    "assertions of a test, 90th percentile": 3,
}
# Goals that were reached, and must stay so; see `tests/contracts/test_measures.py`.
REACHED = [
    "parallel assignments of more than names and constants",
    "starred literals",
    "calls of vars",
    "dictionaries merged in place",
    "imports in functions",
    "public names of two modules",
    "statements of the longest body",
    "tests with 'and' in the name, percent",
    "assertions of a test, 90th percentile",
]
NO_TOKENS = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def read_trees(root: Path) -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sorted(root.rglob("*.py"))}


def walk(root: Path) -> Iterator[ast.AST]:
    for tree in read_trees(root).values():
        yield from ast.walk(tree)


def list_functions(root: Path) -> list[Function]:
    return [node for node in walk(root) if isinstance(node, Function)]


def find_docstring(node: ast.AST) -> ast.Expr | None:
    """The statement that is the docstring of a module, class or function."""
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    first = node.body[0] if node.body else None
    return first if isinstance(first, ast.Expr) and ast.get_docstring(node) is not None else None


def count_tokens(root: Path) -> tuple[int, int]:
    """The number of tokens without comments and docstrings, and of the lines that they stand in."""
    num_tokens, num_lines = 0, 0
    for path, tree in read_trees(root).items():
        docstrings = [
            found for node in ast.walk(tree) if (found := find_docstring(node)) is not None
        ]
        left_out = {
            line for one in docstrings for line in range(one.lineno, (one.end_lineno or 0) + 1)
        }
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            if token.type not in NO_TOKENS and token.start[0] not in left_out:
                num_tokens += 1
                lines.update(range(token.start[0], token.end[0] + 1))
        num_lines += len(lines)
    return num_tokens, num_lines


def is_simple(value: ast.expr) -> bool:
    return isinstance(
        value.operand if isinstance(value, ast.UnaryOp) else value, ast.Name | ast.Constant
    )


def is_parallel(node: ast.AST) -> bool:
    """Whether a statement assigns several values at once, one of them more than a name or a constant."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Tuple):
        return False
    return isinstance(node.value, ast.Tuple) and not all(map(is_simple, node.value.elts))


def is_merged(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.AugAssign)
        and isinstance(node.op, ast.BitOr)
        and isinstance(node.value, ast.Dict)
    )


def is_starred_literal(node: ast.AST) -> bool:
    return isinstance(node, ast.Starred) and isinstance(node.value, ast.Tuple | ast.List)


def is_call_of_vars(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "vars"


def list_local_imports() -> list[str]:
    """The modules that functions import."""
    found = []
    for function in list_functions(SOURCE):
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom):
                found.append(str(node.module))
            elif isinstance(node, ast.Import):
                found.append(node.names[0].name)
    return found


def list_imports() -> dict[str, set[str]]:
    """The own modules that each module imports when it is loaded."""
    modules = {".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): tree
               for path, tree in read_trees(SOURCE).items()}  # fmt: skip
    graph: dict[str, set[str]] = {}
    for name, tree in modules.items():
        graph[name] = set()
        for node in list_loaded(tree.body):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(PACKAGE):
                targets = (f"{node.module}.{one.name}" for one in node.names)
                graph[name] |= {one if one in modules else str(node.module) for one in targets}
    return graph


def list_loaded(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is loaded, without those for type checkers."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test):
            yield from list_loaded([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from list_loaded(node.body)


def measure_chain(graph: dict[str, set[str]]) -> int:
    """The number of modules on the longest path of imports, which has no cycle."""

    @cache
    def measure(name: str) -> int:
        return 1 + max(
            (measure(other) for other in graph.get(name, ()) if other != name), default=0
        )

    return max(map(measure, graph))


def count_double_names() -> int:
    """The number of public functions and classes that two or more modules define."""
    names: Counter[str] = Counter()
    for tree in read_trees(SOURCE).values():
        names.update(
            {
                node.name
                for node in tree.body
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            }
        )
    return sum(number > 1 for name, number in names.items() if not name.startswith("_"))


def count_statements(function: Function) -> int:
    statements = [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
    return len(statements) - 1 - (find_docstring(function) is not None)


def measure_all() -> dict[str, float]:
    """The value of each measure of `GOALS`."""
    num_tokens, num_lines = count_tokens(SOURCE)
    nodes = list(walk(SOURCE))
    local = list_local_imports()
    tests = [function for function in list_functions(TESTS) if function.name.startswith("test_")]
    assertions = [sum(isinstance(node, ast.Assert) for node in ast.walk(test)) for test in tests]
    values = [
        num_tokens,
        num_tokens / num_lines,
        sum(map(is_parallel, nodes)),
        sum(map(is_starred_literal, nodes)),
        sum(map(is_call_of_vars, nodes)),
        sum(map(is_merged, nodes)),
        len(local),
        sum(module.startswith(PACKAGE) for module in local),
        measure_chain(list_imports()),
        count_double_names(),
        sum(path.read_text().count("dict[str, Any]") for path in read_trees(SOURCE)),
        max(map(count_statements, list_functions(SOURCE))),
        100 * statistics.fmean("_and_" in test.name for test in tests),
        statistics.quantiles(assertions, n=10)[-1],
    ]
    return dict(zip(GOALS, values, strict=True))


def main() -> None:
    """Print the table."""
    print("| measure | now | goal |\n|---|---:|---:|")
    for name, value in measure_all().items():
        print(f"| {name} | {value:,.{0 if value > 100 else 1}f} | {GOALS[name]:,} |")


if __name__ == "__main__":
    main()
