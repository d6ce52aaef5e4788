"""Names, colours and dashes of networks, baselines and references, the same in all figures and tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

# Colours of Okabe & Ito's palette.
BLUE = "#0072b2"
VERMILION = "#d55e00"
GREEN = "#009e73"
# The colour of observed values and marks, of reference lines, and of entries without a style of their own.
NEUTRAL_COLOR = "#666666"
REFERENCE_COLOR = "#999999"
SPARE_COLOR = "#8a7cc2"


@dataclass(frozen=True)
class Style:
    """The style of one network, baseline or reference.

    Attributes:
        name: the displayed name, as in "seasonal naive".
        color: from Okabe & Ito's palette, or muted for simple methods; safe for colour-blind readers, and visible on
            white and on the dark background of kedro-viz.
        dash: the dash of its lines, one of Plotly's.
    """

    name: str
    color: str = SPARE_COLOR
    dash: str = "solid"


class Registered(Protocol):
    """An entry of a registry of networks or baselines."""

    @property
    def style(self) -> Style: ...


class Styles(Mapping[str, Style]):
    """Mapping of the names in tables and parameters to styles; an unknown name gets a default style with that name.

    Args:
        registries: mappings of names to styles, or to objects with a style. They are read at each access, so that later
            entries are found too.
    """

    def __init__(self, *registries: Mapping[str, Style] | Mapping[str, Registered]) -> None:
        self._registries = registries

    def __getitem__(self, name: str) -> Style:
        for registry in self._registries:
            if name in registry:
                entry = registry[name]
                return entry if isinstance(entry, Style) else entry.style
        return Style(name.replace("_", " "))

    def __contains__(self, name: object) -> bool:
        return any(name in registry for registry in self._registries)

    def __iter__(self) -> Iterator[str]:
        return (name for registry in self._registries for name in registry)

    def __len__(self) -> int:
        return sum(map(len, self._registries))


# The styles of the cells, which all registries of networks use; a cell without a line has its own name.
CELL_STYLES = Styles(
    {
        "rnn": Style("simple RNN", "#963060"),
        "lstm": Style("LSTM", BLUE),
        "gru": Style("GRU", VERMILION),
        "mingru": Style("minGRU", GREEN),
    }
)
