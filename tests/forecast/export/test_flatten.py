"""One file of a module and what it uses."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rnn_pipelines.forecast.export.flatten import flatten
from rnn_pipelines.forecast.export.statements import PACKAGE

FIRST = '''"""Docstring."""
import numpy as np
from rnn_pipelines.flat_second import Spec, Point, area as find_area, LIMIT, unused, own_days

class Record:
    def __init__(self, **values): vars(self).update(values)

SCALE = 2
def run(x: int) -> float:
    """Docstring."""
    return SCALE * find_area(Point(x, 3)) + Spec(size=2).size + Spec().weight + LIMIT + own_days()

def other_days(): return 1000
'''
SECOND = """
from dataclasses import dataclass
from pydantic import Field
from rnn_pipelines.parameter_models import ParameterModel
SCALE = 10
LIMIT = SCALE + 0.5

@dataclass(frozen=True)
class Point:
    x: int
    y: int = SCALE
    def __post_init__(self): raise ValueError
    def multiply(self): return self.x * self.y * SCALE
    def forgotten(self): return unused()

class Spec(ParameterModel, frozen=True):
    size: int = Field(default=5, ge=1)
    weight: float = Field(0.25, ge=0)
    def check(self): return unused()

def area(point): return point.multiply()
def unused(): import scipy
def own_days(): return unused()
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two modules of the package, which exist only here."""
    import rnn_pipelines

    monkeypatch.setattr(rnn_pipelines, "__path__", [*rnn_pipelines.__path__, str(tmp_path)])
    for name, text in {"flat_first": FIRST, "flat_second": SECOND}.items():
        (tmp_path / f"{name}.py").write_text(text)
    yield
    for name in ("flat_first", "flat_second"):
        sys.modules.pop(f"{PACKAGE}.{name}", None)


@pytest.mark.usefixtures("modules")
def test_the_file_computes_what_the_modules_do() -> None:
    text = flatten(f"{PACKAGE}.flat_first", {(f"{PACKAGE}.flat_second", "own_days"): "other_days"})
    for absent in ("Docstring", "pydantic", "scipy", "forgotten", "def check", "__post_init__", "own_days", PACKAGE):
        assert absent not in text
    module = ModuleType("flat")
    sys.modules["flat"] = module
    try:
        exec(text, vars(module))  # the file that is tested
    finally:
        del sys.modules["flat"]
    # 2 · (4 · 3 · 10) + 2 + 0.25 + 10.5 + 1000
    assert module.run(4) == 1252.75
    assert {"SCALE", "flat_second_SCALE"} <= set(vars(module))
