"""Breaks lines of the source at random, and counts those that the tests find; run by `make mutations`.

Each mutation is made in a copy of the project, and stays alone. The tests are the fast ones that reach its module.
"""

import argparse
import ast
import copy
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from changed import ROOT, find_tests, name_module

SOURCE = ROOT / "src/rnn_pipelines"
MAX_SECONDS = 900
# Of each operator, the one that takes its place.
OPERATORS: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Mutation:
    """A statement of a module with one change.

    Attributes:
        path: the module's file.
        line: where the change is.
        before: the expression or statement as it was.
        after: the same with the change.
        text: the whole module with the change.
    """

    path: Path
    line: int
    before: str
    after: str
    text: str


def change_node(node: ast.AST) -> ast.AST | None:
    """Return the node with one change; None if the table of changes has none for it."""
    changed = copy.deepcopy(node)
    match changed:
        case ast.Compare(ops=[operator]) if type(operator) in OPERATORS:
            changed.ops = [OPERATORS[type(operator)]()]
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) | ast.BoolOp(op=operator) if (
            type(operator) in OPERATORS
        ):
            changed.op = OPERATORS[type(operator)]()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return operand
        case ast.Constant(value=bool()):
            changed.value = not changed.value
        case ast.Constant(value=int() | float() as number):
            changed.value = number + 1
        case ast.Return(value=ast.expr()):
            changed.value = ast.Constant(None)
        case _:
            return None
    return changed


class Replacement(ast.NodeTransformer):
    """Put another node in the place of one."""

    def __init__(self, node: ast.AST, changed: ast.AST) -> None:
        self.node = node
        self.changed = changed

    def visit(self, node: ast.AST) -> ast.AST:
        return self.changed if node is self.node else super().visit(node)


def list_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run: no annotations."""
    for name, value in ast.iter_fields(tree):
        if name in {"annotation", "returns"}:
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST):
                yield node
                yield from list_nodes(node)


def list_lines(path: Path) -> dict[int, list[ast.AST]]:
    """The nodes of a module that can be changed, by their line."""
    lines: dict[int, list[ast.AST]] = {}
    for node in list_nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.expr | ast.stmt) and change_node(node) is not None:
            lines.setdefault(node.lineno, []).append(node)
    return lines


def mutate(path: Path, line: int, source: random.Random) -> Mutation:
    """Change one node of a line."""
    tree = ast.parse(path.read_text())
    nodes = [
        node
        for node in list_nodes(tree)
        if isinstance(node, ast.expr | ast.stmt) and node.lineno == line
    ]
    node = source.choice([node for node in nodes if change_node(node) is not None])
    changed = change_node(node)
    assert changed is not None
    before = ast.unparse(node)
    text = ast.unparse(ast.fix_missing_locations(Replacement(node, changed).visit(tree)))
    return Mutation(path, line, before, ast.unparse(changed), text)


def draw_mutations(number: int, seed: int, folder: Path = SOURCE) -> list[Mutation]:
    """Change so many lines below a folder, each by itself."""
    places = [(path, line) for path in sorted(folder.rglob("*.py")) for line in list_lines(path)]
    source = random.Random(seed)
    return [mutate(path, line, source) for path, line in source.sample(places, number)]


def choose_tests(path: Path, only_mirror: bool) -> list[str]:
    """The tests that reach a module, the nearest first, or those of the folder that mirrors the module's."""
    if not only_mirror:
        return [str(test.relative_to(ROOT)) for test in find_tests({name_module(path)})]
    folder = ROOT / "tests" / path.relative_to(SOURCE).parent
    while not any(folder.glob("**/test_*.py")):
        folder = folder.parent
    return [str(folder.relative_to(ROOT))]


def is_found(mutation: Mutation, project: Path, tests: list[str]) -> bool:
    """Whether a test fails, or takes too long, on the changed module in a copy of the project."""
    path = project / mutation.path.relative_to(ROOT)
    original = path.read_text()
    path.write_text(mutation.text)
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*words, *tests],
            cwd=project,
            env=environment,
            check=False,
            capture_output=True,
            timeout=MAX_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_text(original)
    # 5: there was no test to run.
    return done.returncode not in {0, 5}


def print_outcome(mutation: Mutation, root: Path, found: bool) -> None:
    """Print whether a change was found, with its place below a folder."""
    place = f"{mutation.path.relative_to(root)}:{mutation.line}"
    word = "found" if found else "not found"
    print(f"{word:10}{place}  {mutation.before}  →  {mutation.after}", flush=True)


def main() -> None:
    """Print each mutation, and whether it was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, nargs="?", default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mirror", action="store_true", help="only the tests of the same folder")
    options = parser.parse_args()
    num_found = 0
    with tempfile.TemporaryDirectory() as folder:
        export = ["git", "checkout-index", "--all", f"--prefix={folder}/"]
        subprocess.run(export, cwd=ROOT, check=True)
        (Path(folder) / ".venv").symlink_to(sys.prefix)
        for mutation in draw_mutations(options.number, options.seed):
            found = is_found(mutation, Path(folder), choose_tests(mutation.path, options.mirror))
            num_found += found
            print_outcome(mutation, ROOT, found)
    print(f"{num_found} of {options.number} found, seed {options.seed}")


if __name__ == "__main__":
    main()
