"""Numbers and lists as people read them, the same in every report."""

import math
from collections.abc import Iterable

from rnn_pipelines.errors import MAX_VALUE, make_line

NO_NUMBER = "–"


def format_p_value(p_value: float) -> str:
    """To two significant digits, as in `p = 0.034`; how small a small one is tells nothing."""
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"


def format_number(value: float | None, num_digits: int = 4) -> str:
    """A number to so many significant digits, whole digits never left out; a dash for none.

    Written as 1.2e−07 below 0.00001 and from 10¹⁵ on only. The minus sign is a real one.
    """
    if value is None or math.isnan(value):
        return NO_NUMBER
    if value == 0 or math.isinf(value):
        return f"{value:.0f}".replace("-", "−")
    magnitude = math.floor(math.log10(abs(value)))
    form = f",.{max(num_digits - 1 - magnitude, 0)}f" if -5 <= magnitude < 15 else f".{num_digits - 1}e"
    return f"{value:{form}}".replace("-", "−")


def format_skill(skill: float | None) -> str:
    """A skill to three decimals, with its sign; what is far below zero is not worth its digits."""
    if skill is None or math.isnan(skill):
        return NO_NUMBER
    return "< −99" if skill < -99 else f"{skill:+.3f}".replace("-", "−")


def format_percent(fraction: float, num_decimals: int = 2) -> str:
    """A fraction in percent, to so many decimals."""
    return f"{100 * fraction:.{num_decimals}f} %"


def format_points(difference: float) -> str:
    """A difference of two fractions in percentage points, with its sign."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def format_p_cell(p_value: float | None) -> str:
    """A p-value without its letter, for a column that is named p."""
    return NO_NUMBER if p_value is None else format_p_value(p_value).removeprefix("p = ").removeprefix("p ")


def list_some(names: Iterable[object], most: int) -> str:
    """Names with commas between them, each on one line and cut; after so many, dots stand for the rest."""
    listed = [make_line(name, MAX_VALUE) for name in names]
    return ", ".join(listed[:most]) + (", …" if len(listed) > most else "")
