"""One Python file of a module and all that it uses of the project, which imports nothing of the project.

Starting from the names of the module, it follows each name to its definition, also in other modules. Methods that
nothing in the file names are left out, and so are checks after the construction of an object.
"""

import ast
import builtins
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType

from rnn_pipelines.forecast.export.statements import PACKAGE, Key, Unit, make_unit, read_module, resolve

ALIASES = {"numpy": "np", "pandas": "pd"}


def flatten(module: str, replaced: Mapping[Key, str] = MappingProxyType({})) -> str:
    """Return the source of one file with the contents of a module.

    Args:
        module: its full name. It defines `Record`.
        replaced: functions of other modules, and the names of those of this module that stand for them in the file.
    """
    units, imports = _collect(module, {key: (module, name) for key, name in replaced.items()})
    names = _choose_names(module, units, imports)
    done: set[Key] = set()
    statements = [one for key in units for one in _list_in_order(key, units, names, done)]
    statements += [one for one in read_module(module).others if isinstance(one, ast.If)]
    lines = ["from __future__ import annotations", *sorted(_write_import(key, names[key]) for key in imports)]
    for before, one in pairwise([*statements[:1], *statements]):
        is_constant = before is not one and isinstance(before, ast.Assign) and isinstance(one, ast.Assign)
        lines += [*([] if is_constant else [""]), ast.unparse(one)]
    return "\n".join([*lines, ""])


def _collect(module: str, replaced: Mapping[Key, Key]) -> tuple[dict[Key, Unit], list[Key]]:
    """Return the statements that the names of a module need, and the imports from other libraries."""
    waiting: list[Key] = [(module, name) for name in read_module(module).definitions]
    units: dict[Key, Unit] = {}
    imports: set[Key] = set()
    attributes: set[str] = set()
    while waiting:
        key = waiting.pop(0)
        if key in units or key in imports:
            continue
        if not key[0].startswith(PACKAGE):
            imports.add(key)
            continue
        units[key] = make_unit(key, module)
        _read(units[key], units[key].statement, attributes, replaced)
        # A new name of an attribute may be that of a method of an earlier class.
        _take_methods(units, attributes, replaced)
        waiting += [other for unit in units.values() for other in unit.names.values()]
    return units, sorted(imports)


def _take_methods(units: dict[Key, Unit], attributes: set[str], replaced: Mapping[Key, Key]) -> None:
    """Add the methods with the name of an attribute to their classes; each may name further ones."""
    is_new = True
    while is_new:
        is_new = False
        for unit in units.values():
            for name in [one for one in unit.methods if one in attributes or _is_special(one)]:
                method, is_new = unit.methods.pop(name), True
                assert isinstance(unit.statement, ast.ClassDef)
                unit.statement.body.append(method)
                _read(unit, method, attributes, replaced)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name != "__post_init__"


def _read(unit: Unit, statement: ast.stmt, attributes: set[str], replaced: Mapping[Key, Key]) -> None:
    """Add the global names that a statement reads to its unit, and the names of its attributes to those of all."""
    for node in _walk(statement):
        if isinstance(node, ast.Attribute):
            attributes.add(node.attr)
    bound = _find_bound(statement)
    for name in [node.id for node in _walk(statement) if isinstance(node, ast.Name)]:
        if name not in bound and name not in unit.names:
            key = resolve(unit.module, name)
            if key is not None and key != (unit.module, getattr(unit.statement, "name", None)):
                unit.names[name] = replaced.get(key, key)


def _walk(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield all nodes, without the type hints of a class."""
    if not isinstance(statement, ast.ClassDef):
        return ast.walk(statement)
    fields = [one.value for one in statement.body if isinstance(one, ast.Assign | ast.AnnAssign) and one.value]
    parts = [*statement.bases, *statement.keywords, *statement.decorator_list, *fields]
    return (node for part in parts for node in ast.walk(part))


def _find_bound(statement: ast.stmt) -> set[str]:
    """Return the names that a function binds; one that it binds anywhere is not a global name there."""
    if not isinstance(statement, ast.FunctionDef):
        return {
            node.id
            for one in ast.walk(statement)
            if isinstance(one, ast.comprehension)
            for node in ast.walk(one.target)
            if isinstance(node, ast.Name)
        }
    found: set[str] = set()
    for node in ast.walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                found.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {one.asname or one.name for one in names}
    return found


def _choose_names(module: str, units: dict[Key, Unit], imports: list[Key]) -> dict[Key, str]:
    """Return the name of each definition in the file: its own, or with its module's if it is taken."""
    names: dict[Key, str] = {}
    taken = set(dir(builtins))
    for key in [*imports, *(key for key in units if key[0] == module), *units]:
        if key in names:
            continue
        name = key[1] or ALIASES.get(key[0], key[0])
        if name in taken:
            name = f"{key[0].rpartition('.')[2]}_{name.lstrip('_')}"
        assert name not in taken, key
        names[key] = name
        taken.add(name)
    return names


def _write_import(key: Key, name: str) -> str:
    library, imported = key
    if not imported:
        return f"import {library}" + (f" as {name}" if name != library else "")
    return f"from {library} import {imported}" + (f" as {name}" if name != imported else "")


class _Renamer(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._names.get(node.id, node.id)
        return node


def _list_in_order(key: Key, units: dict[Key, Unit], names: dict[Key, str], done: set[Key]) -> Iterator[ast.stmt]:
    """Yield a definition after all that it reads."""
    if key in done or key not in units:
        return
    done.add(key)
    unit = units[key]
    for other in unit.names.values():
        yield from _list_in_order(other, units, names, done)
    yield _rename(unit, key, names)


def _rename(unit: Unit, key: Key, names: dict[Key, str]) -> ast.stmt:
    statement = unit.statement
    own = {**{local: names[other] for local, other in unit.names.items()}, key[1]: names[key]}
    parts: list[ast.AST] = [statement]
    if isinstance(statement, ast.ClassDef):
        parts = [*statement.body, *statement.bases, *statement.keywords, *statement.decorator_list]
    for part in parts:
        bound = _find_bound(part) if isinstance(part, ast.FunctionDef) else set()
        _Renamer({name: new for name, new in own.items() if name not in bound}).visit(part)
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        statement.name = names[key]
        if isinstance(statement, ast.ClassDef) and not statement.body:
            statement.body = [ast.Pass()]
    return ast.fix_missing_locations(statement)
