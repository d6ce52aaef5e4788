"""Everyone who is compared looks the same everywhere."""

from types import SimpleNamespace

from rnn_pipelines.report.styles import CELL_STYLES, SPARE_COLOR, Style, Styles

RIDGE = Style("ridge", "#5fa58e")


def test_styles_are_those_of_all_registries() -> None:
    styles = Styles({"ridge": RIDGE}, CELL_STYLES)
    assert (styles["ridge"].color, styles["gru"].name) == ("#5fa58e", "GRU")
    assert list(styles) == ["ridge", "rnn", "lstm", "gru", "mingru"]


def test_a_registry_may_hold_objects_with_a_style() -> None:
    assert Styles({"ridge": SimpleNamespace(style=RIDGE)})["ridge"] == RIDGE


def test_a_registry_may_grow_later() -> None:
    registry: dict[str, Style] = {}
    styles = Styles(registry)
    registry["ridge"] = RIDGE
    assert styles["ridge"] == RIDGE


def test_an_unknown_method_has_the_spare_colour() -> None:
    assert Styles()["my_forecast"] == Style("my forecast", SPARE_COLOR)


def test_an_unknown_cell_has_the_spare_colour() -> None:
    assert CELL_STYLES["a_new_cell"] == Style("a new cell", SPARE_COLOR)


def test_cells_have_different_colours() -> None:
    assert len({style.color for style in CELL_STYLES.values()}) == len(CELL_STYLES)
