"""Formatting of numbers, times and lists in all reports."""

import math
from collections.abc import Iterable

from rnn_pipelines.errors import MAX_VALUE, make_line

NO_NUMBER = "–"


def format_p_value(p_value: float) -> str:
    """Format a p-value to two significant digits, as in `p = 0.034`; small ones as `p < 0.0001`."""
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
    form = f",.{max(num_digits - 1 - magnitude, 0)}f" if -5 <= magnitude < 15 else f".{num_digits - 1}e"
    return f"{value:{form}}".replace("-", "−")


def format_skill(skill: float | None) -> str:
    """Format a skill to three decimals, with its sign; values below −99 are written as `< −99`."""
    if skill is None or math.isnan(skill):
        return NO_NUMBER
    return "< −99" if skill < -99 else f"{skill:+.3f}".replace("-", "−")


def format_percent(fraction: float, num_decimals: int = 2) -> str:
    """Format a fraction in percent."""
    return f"{100 * fraction:.{num_decimals}f} %"


def format_points(difference: float) -> str:
    """Format a difference of two fractions in percentage points, with its sign."""
    return f"{100 * difference:+.2f}".replace("-", "−")


def format_p_cell(p_value: float | None) -> str:
    """Format a p-value without its letter, for a column that is named p."""
    return NO_NUMBER if p_value is None else format_p_value(p_value).removeprefix("p = ").removeprefix("p ")


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
