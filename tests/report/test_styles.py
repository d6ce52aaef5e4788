"""Everyone who is compared looks the same everywhere."""

from types import SimpleNamespace

from rnn_pipelines.report.styles import CELL_STYLES, SPARE_COLOR, Style, Styles

RIDGE = Style("ridge", "#5fa58e")


def test_looks_are_those_of_all_registries() -> None:
    styles = Styles({"ridge": RIDGE}, CELL_STYLES)
    assert (styles["ridge"].color, styles["gru"].name) == ("#5fa58e", "GRU")
    assert list(styles) == ["ridge", "rnn", "lstm", "gru", "mingru"]


def test_entries_that_have_a_look_are_registries_too() -> None:
    assert Styles({"ridge": SimpleNamespace(style=RIDGE)})["ridge"] == RIDGE


def test_who_is_registered_later_appears_too() -> None:
    registry: dict[str, Style] = {}
    styles = Styles(registry)
    registry["ridge"] = RIDGE
    assert styles["ridge"] == RIDGE


def test_who_has_no_look_appears_under_the_own_name() -> None:
    assert Styles()["my_forecast"] == Style("my forecast", SPARE_COLOR)


def test_no_two_cells_share_a_colour() -> None:
    assert len({style.color for style in CELL_STYLES.values()}) == len(CELL_STYLES)
