"""The definitions of the project's modules, as statements without what only the project needs.

Docstrings and type hints are left out. Parameter models, which need pydantic, become plain records with the same fields
and defaults.
"""

import ast
import builtins
import importlib
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from inspect import isfunction
from pathlib import Path
from typing import TypeVar

PACKAGE = "rnn_pipelines"
# The base class of what were parameter models; the flattened module defines it.
RECORD = "Record"
# pydantic's name for the fields, and the base classes, of parameter models.
FIELD, BASES = ("pydantic", "Field"), {("pydantic", "BaseModel"), ("pydantic", "RootModel")}
BASES |= {(f"{PACKAGE}.parameter_models", "ParameterModel")}

Statement = TypeVar("Statement", bound=ast.stmt)
# Module and name of a definition, or of an import from another library, whose name is empty for the library itself.
Key = tuple[str, str]


@dataclass(frozen=True)
class Module:
    """The statements of a module by the name that they define, and the keys of its imports by their local names."""

    definitions: dict[str, ast.stmt]
    imports: dict[str, Key]
    others: list[ast.stmt]


@cache
def read_module(name: str) -> Module:
    """Return the statements of a module."""
    found = Module({}, {}, [])
    path = importlib.import_module(name).__file__
    assert path is not None
    for statement in ast.parse(Path(path).read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Import):
            found.imports.update({one.asname or one.name: (one.name, "") for one in statement.names})
        elif isinstance(statement, ast.ImportFrom):
            found.imports.update({one.asname or one.name: (str(statement.module), one.name) for one in statement.names})
        elif isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found.definitions[statement.name] = statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [node.id for one in targets for node in ast.walk(one) if isinstance(node, ast.Name)]
            found.definitions.update(dict.fromkeys(names, statement))
        else:
            found.others.append(statement)
    return found


def resolve(module: str, name: str) -> Key | None:
    """Return the key of a global name; None for a name of Python."""
    found = read_module(module)
    if name in found.definitions:
        return module, name
    if name in found.imports:
        origin, original = found.imports[name]
        return resolve(origin, original) if origin.startswith(PACKAGE) else (origin, original)
    if hasattr(builtins, name) or name in ("__file__", "__name__"):
        return None
    raise NameError(f"{module}: {name} is not defined at the top of the module")


@dataclass
class Unit:
    """A definition.

    Attributes:
        module: that has it.
        statement: stripped; a class has its fields, and the methods that are used.
        names: keys of the global names that the statement reads, by these names.
        methods: that are not used yet, by name.
    """

    module: str
    statement: ast.stmt
    names: dict[str, Key] = field(default_factory=dict)
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)


def make_unit(key: Key, entry: str) -> Unit:
    """Return a definition without docstrings and type hints.

    Args:
        key: of the definition.
        entry: name of the flattened module.
    """
    module, name = key
    statement = deepcopy(read_module(module).definitions[name])
    if isinstance(statement, ast.AnnAssign):
        assert statement.value is not None
        statement = ast.Assign([statement.target], statement.value, lineno=0)
    functions = _find_functions(module, name)
    if functions and isinstance(statement, ast.Assign):
        unit = Unit(module, statement, {f"{name}_{number}": key for number, key in enumerate(functions.values())})
        statement.value = ast.Dict([*map(ast.Constant, functions)], [*map(ast.Name, unit.names)])
        return unit
    if not isinstance(statement, ast.ClassDef):
        return Unit(module, _strip(statement))
    methods = {one.name: one for one in statement.body if isinstance(one, ast.FunctionDef)}
    statement.body = [one for one in statement.body if isinstance(one, ast.Assign | ast.AnnAssign)]
    for one in statement.body:
        if isinstance(one, ast.AnnAssign):
            # A field needs a type hint, whatever it is.
            one.annotation = ast.Name("object")
    unit = Unit(module, statement, methods={name: _strip(one) for name, one in methods.items()})
    if _is_parameter_model(module, statement):
        unit.names[RECORD] = (entry, RECORD)
        _make_record(unit)
    return unit


def _find_functions(module: str, name: str) -> dict[str, Key]:
    """Return the functions of a dictionary that holds nothing else; they are written out, whatever made it."""
    value = getattr(importlib.import_module(module), name, None)
    if not isinstance(value, dict) or not all(isfunction(one) for one in value.values()):
        return {}
    return {name: (one.__module__, one.__name__) for name, one in value.items()}


def _is_parameter_model(module: str, statement: ast.ClassDef) -> bool:
    return any(_find_base(module, base) in BASES for base in statement.bases) or any(
        _is_parameter_model(key[0], parent)
        for key in (_find_base(module, base) for base in statement.bases)
        if key is not None and key[0].startswith(PACKAGE)
        if isinstance(parent := read_module(key[0]).definitions[key[1]], ast.ClassDef)
    )


def _find_base(module: str, base: ast.expr) -> Key | None:
    plain = base.value if isinstance(base, ast.Subscript) else base
    return resolve(module, plain.id) if isinstance(plain, ast.Name) else None


def _make_record(unit: Unit) -> None:
    """Turn a parameter model into a record: plain defaults, and no validation."""
    statement = unit.statement
    assert isinstance(statement, ast.ClassDef)
    statement.keywords = []
    statement.bases = [ast.Name(RECORD) if _find_base(unit.module, base) in BASES else base for base in statement.bases]
    body: list[ast.stmt] = []
    for one in statement.body:
        if isinstance(one, ast.AnnAssign) and (value := _find_default(unit.module, one.value)) is not None:
            body.append(ast.Assign([one.target], value, lineno=0))
    statement.body = body
    for method in unit.methods.values():
        method.decorator_list = [
            one for one in method.decorator_list if isinstance(one, ast.Name) and one.id != "model_validator"
        ]


def _find_default(module: str, value: ast.expr | None) -> ast.expr | None:
    """Return the default of a field; None if it has none."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and resolve(module, value.func.id) == FIELD:
        named = [one.value for one in value.keywords if one.arg == "default"]
        return next(iter([*value.args, *named]), None)
    return value


class _Stripper(ast.NodeTransformer):
    """Leaves docstrings and type hints out of functions."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = None
        for one in ast.walk(node.args):
            if isinstance(one, ast.arg):
                one.annotation = None
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        return None if node.value is None else ast.Assign([node.target], node.value, lineno=0)


def _strip(statement: Statement) -> Statement:
    stripped: Statement = _Stripper().visit(statement)
    return stripped
