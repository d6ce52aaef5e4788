"""Cells of the measures of sums, and the best cells of tables with them."""

from collections.abc import Iterable, Mapping

from rnn_pipelines.report.numbers import NO_NUMBER, format_number


def list_errors(
    blocks: Iterable[Mapping[str, float | None]], keys: Iterable[str | None]
) -> dict[int, list[float | None]]:
    """Return the sizes of the numbers in the columns after the first one, for `mark_best`; None is another column."""
    sizes = [{key: None if number is None else abs(number) for key, number in block.items()} for block in blocks]
    return {place: [block.get(key) for block in sizes] for place, key in enumerate(keys, start=1) if key is not None}


def format_totals(numbers: Mapping[str, float | None]) -> list[str]:
    """Return the cells of `TOTALS`, in percent."""
    wape = numbers.get("total_wape")
    return [format_bias(numbers.get("bias")), format_number(None if wape is None else 100 * wape, 3)]


def format_bias(bias: float | None) -> str:
    """Return a bias in percent with its sign: −3.1."""
    return NO_NUMBER if bias is None else f"{100 * bias:+,.1f}".replace("-", "−")
