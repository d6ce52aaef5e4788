"""How everyone who is compared appears, the same in every figure and table: name, colour, dashes."""

from collections.abc import Mapping
from dataclasses import dataclass

# Of everyone who has no look of their own.
SPARE_COLOR = "#8a7cc2"


@dataclass(frozen=True)
class Look:
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


class Looks(dict[str, Look]):
    """Looks by the names that stand in tables and parameters; whoever has none appears under that name."""

    def __init__(self, *looks: Mapping[str, Look]) -> None:
        super().__init__({name: look for some in looks for name, look in some.items()})

    def __missing__(self, name: str) -> Look:
        return Look(name.replace("_", " "))


# The cells are said here once; each room's registry of networks takes its looks from here.
CELLS = {
    "rnn": Look("simple RNN", "#963060"),
    "lstm": Look("LSTM", "#0072b2"),
    "gru": Look("GRU", "#d55e00"),
}
