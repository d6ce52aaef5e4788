"""Everyone who is compared looks the same everywhere."""

from types import SimpleNamespace

from rnn_pipelines.report.styles import CELL_STYLES, SPARE_COLOR, Style, Styles

RIDGE = Style("ridge", "#5fa58e")


def test_looks_are_those_of_all_registries() -> None:
    styles = Styles({"ridge": RIDGE}, CELL_STYLES)
    assert (styles["ridge"].color, styles["gru"].name) == ("#5fa58e", "GRU")
    assert list(styles) == ["ridge", "rnn", "lstm", "gru", "mingru"]
    assert Styles({"ridge": SimpleNamespace(style=RIDGE)})["ridge"] == RIDGE
    registry: dict[str, Style] = {}
    styles = Styles(registry)
    registry["ridge"] = RIDGE
    assert styles["ridge"] == RIDGE
    assert Styles()["my_forecast"] == Style("my forecast", SPARE_COLOR)
    assert CELL_STYLES["a_new_cell"] == Style("a new cell", SPARE_COLOR)
    assert len({style.color for style in CELL_STYLES.values()}) == len(CELL_STYLES)
