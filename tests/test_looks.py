"""Everyone who is compared looks the same everywhere."""

from rnn_pipelines.looks import CELLS, SPARE_COLOR, Look, Looks


def test_looks_are_those_of_all_mappings() -> None:
    looks = Looks({"ridge": Look("ridge", "#5fa58e")}, CELLS)
    assert (looks["ridge"].color, looks["gru"].name) == ("#5fa58e", "GRU")


def test_who_has_no_look_appears_under_the_own_name() -> None:
    assert Looks()["my_forecast"] == Look("my forecast", SPARE_COLOR)


def test_no_two_cells_share_a_colour() -> None:
    assert len({look.color for look in CELLS.values()}) == len(CELLS)
