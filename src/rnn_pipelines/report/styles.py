"""How everyone who is compared appears, the same in every figure and table: name, colour, dashes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

# Of entries without a style of their own.
SPARE_COLOR = "#8a7cc2"


@dataclass(frozen=True)
class Style:
    """How one network, baseline or reference appears.

    Attributes:
        name: for people, as in "seasonal naive".
        color: from Okabe & Ito's palette, or muted for what is simple; told apart by colour-blind people, and seen on
            white and on the dark background of kedro-viz.
        dash: of its lines, as Plotly names it.
    """

    name: str
    color: str = SPARE_COLOR
    dash: str = "solid"


class Registered(Protocol):
    """An entry of a registry of networks or baselines."""

    @property
    def style(self) -> Style: ...


class Styles(Mapping[str, Style]):
    """Looks by the names that stand in tables and parameters; whoever has none appears under that name.

    Args:
        registries: of looks, or of what has one. They are asked each time, so that who is registered later appears too.
    """

    def __init__(self, *registries: Mapping[str, Style] | Mapping[str, Registered]) -> None:
        self._registries = registries

    def __getitem__(self, name: str) -> Style:
        found = next((registry[name] for registry in self._registries if name in registry), None)
        if found is None:
            return Style(name.replace("_", " "))
        return found if isinstance(found, Style) else found.style

    def __contains__(self, name: object) -> bool:
        return any(name in registry for registry in self._registries)

    def __iter__(self) -> Iterator[str]:
        return (name for registry in self._registries for name in registry)

    def __len__(self) -> int:
        return sum(map(len, self._registries))


# The cells are said here once; each registry of networks takes its styles from here.
CELLS = {
    "rnn": Style("simple RNN", "#963060"),
    "lstm": Style("LSTM", "#0072b2"),
    "gru": Style("GRU", "#d55e00"),
}
