"""Formatting of numbers, times and lists in all reports, and the columns of their tables."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from rnn_pipelines.errors import MAX_VALUE, make_line

NO_NUMBER = "–"


def format_p_value(p_value: float) -> str:
    """Format a p-value to two significant digits, as in `p = 0.034`; `p < 0.0001` and `p > 0.99` beyond these."""
    if p_value >= 0.995:
        return "p > 0.99"
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"


def format_test(p_value: float) -> str:
    """Format a p-value in brackets after a sentence; empty near 1, which says nothing, as with too few values."""
    return "" if p_value >= 0.995 else f" ({format_p_value(p_value)})"


def format_number(value: float | None, num_digits: int = 4) -> str:
    """Format a number to `num_digits` significant digits, but with all whole digits; a dash for a missing number.

    Numbers below 0.00001 and from 10¹⁵ are written as 1.2e−07. The minus sign is U+2212.
    """
    if value is None or math.isnan(value):
        return NO_NUMBER
    if value == 0 or math.isinf(value):
        return f"{value:.0f}".replace("-", "−")
    magnitude = math.floor(math.log10(abs(value)))
    form = (
        f",.{max(num_digits - 1 - magnitude, 0)}f"
        if -5 <= magnitude < 15
        else f".{num_digits - 1}e"
    )
    return f"{value:{form}}".replace("-", "−")


def format_skill(skill: float | None) -> str:
    """Format a skill to three decimals, with its sign; values below −99 are written as `< −99`."""
    if skill is None or math.isnan(skill):
        return NO_NUMBER
    return "< −99" if skill < -99 else f"{skill:+.3f}".replace("-", "−")


def format_percent(fraction: float | None, num_decimals: int = 2) -> str:
    """Format a fraction in percent; a dash for a missing one."""
    return NO_NUMBER if fraction is None else f"{100 * fraction:.{num_decimals}f} %"


def format_share(fraction: float | None, num_decimals: int = 1) -> str:
    """Format a fraction in percent without the sign %, for a column or a range that names it."""
    return format_percent(fraction, num_decimals).removesuffix(" %")


def format_points(difference: float | None, num_decimals: int = 2) -> str:
    """Format a fraction or a difference of two fractions in percent, with its sign; a dash for a missing one."""
    if difference is None or math.isnan(difference):
        return NO_NUMBER
    return f"{100 * difference:+,.{num_decimals}f}".replace("-", "−")


def format_bias(bias: float | None) -> str:
    return format_points(bias, 1)


def format_count(number: float) -> str:
    return f"{number:,.0f}"


def format_tenths(number: float) -> str:
    """Format a number, such as seconds, to one decimal."""
    return f"{number:,.1f}"


def format_p_cell(p_value: float | None) -> str:
    """Format a p-value without its letter, for a column that is named p; a dash for a missing one."""
    if p_value is None:
        return NO_NUMBER
    return format_p_value(p_value).removeprefix("p = ").removeprefix("p ")


def join_percent(text: str) -> str:
    """Return the text with percent signs that stay on the line of their number."""
    return text.replace(" %", "\u00a0%")


def begin_sentence(text: str) -> str:
    """Return the text with a capital letter at its beginning."""
    return f"{text[:1].upper()}{text[1:]}"


def list_some(names: Iterable[object], most: int) -> str:
    """Return names separated by commas, each on one line and cut; dots replace those after the first `most`."""
    listed = [make_line(name, MAX_VALUE) for name in names]
    return ", ".join(listed[:most]) + (", …" if len(listed) > most else "")


def format_minute(time: str) -> str:
    """Format a time in ISO 8601, UTC, to the minute."""
    return f"{time[:16].replace('T', ' ')} UTC"


@dataclass(frozen=True)
class Column:
    """A column of numbers in a table.

    Attributes:
        heading: with the unit, such as %.
        format: returns a number as text; a missing one, which is None, is a dash.
        better: the direction of better numbers, whose best one is marked; "zero" is nearer to 0.
    """

    heading: str
    format: Callable[[float], str] = format_number
    better: Literal["down", "up", "zero"] | None = None

    def write(self, value: Any) -> str:
        """Return the cell of a number; a text is its own cell."""
        if isinstance(value, str):
            return value
        return NO_NUMBER if value is None else self.format(value)

    def rate(self, number: object) -> float | None:
        """Return a number that is lower if it is better; None for a missing number and for a text."""
        if self.better is None or not isinstance(number, (int, float)):
            return None
        return {"down": float(number), "up": -float(number), "zero": abs(float(number))}[
            self.better
        ]
