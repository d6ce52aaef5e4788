"""Everyone who is compared looks the same everywhere."""

from types import SimpleNamespace

from rnn_pipelines.report.styles import CELLS, SPARE_COLOR, Look, Looks

RIDGE = Look("ridge", "#5fa58e")


def test_looks_are_those_of_all_registries() -> None:
    looks = Looks({"ridge": RIDGE}, CELLS)
    assert (looks["ridge"].color, looks["gru"].name) == ("#5fa58e", "GRU")
    assert list(looks) == ["ridge", "rnn", "lstm", "gru"]


def test_entries_that_have_a_look_are_registries_too() -> None:
    assert Looks({"ridge": SimpleNamespace(look=RIDGE)})["ridge"] == RIDGE


def test_who_is_registered_later_appears_too() -> None:
    registry: dict[str, Look] = {}
    looks = Looks(registry)
    registry["ridge"] = RIDGE
    assert looks["ridge"] == RIDGE


def test_who_has_no_look_appears_under_the_own_name() -> None:
    assert Looks()["my_forecast"] == Look("my forecast", SPARE_COLOR)


def test_no_two_cells_share_a_colour() -> None:
    assert len({look.color for look in CELLS.values()}) == len(CELLS)
