"""A champion of any table meets any other table: each command ends well, or with an error of ours."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError, RnnPipelinesError, SeriesError
from small_tables import Night, make_tables

TABLES = make_tables()
# Changes that people make: a renamed column, an id added, other ids, a table of steps.
CHANGES = [
    ("single", "renamed"),
    ("single", "panel"),
    ("panel", "single"),
    ("panel", "upper"),
    ("numbers", "padded"),
    ("panel", "steps"),
    ("steps", "single"),
    ("single", "hourly"),
    ("UTC", "hourly"),
    ("price", "single"),
]
# Tables that the champion cannot forecast: other ids, spacings, zones and covariates.
OBSTACLES = [
    ("single", "renamed"),
    ("single", "hourly"),
    ("single", "steps"),
    ("steps", "single"),
    ("hourly", "UTC"),
    ("price", "single"),
    ("kind", "panel"),
]


@pytest.fixture(scope="module")
def make_night(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Night]:
    """Makes the night of a table, with its first champion; once for each table."""
    nights: dict[str, Night] = {}

    def make(name: str) -> Night:
        if name not in nights:
            night = Night(TABLES[name], tmp_path_factory.mktemp(name.replace(" ", "_")))
            night.dataset.save(night.retrain(None))
            nights[name] = night
        return nights[name]

    return make


def load(night: Night) -> LoadedChampion:
    champion = night.dataset.load()
    assert champion is not None
    return champion


@pytest.mark.parametrize(("learnt", "newest"), CHANGES)
def test_retraining_on_another_table_ends_with_a_decision(
    make_night: Callable[[str], Night], learnt: str, newest: str
) -> None:
    candidate = make_night(newest).retrain(load(make_night(learnt)))
    assert candidate.decision.reasons


@pytest.mark.parametrize(("learnt", "newest"), OBSTACLES)
def test_prediction_names_the_command_that_replaces_the_champion(
    make_night: Callable[[str], Night], learnt: str, newest: str
) -> None:
    with pytest.raises(ChampionError, match="kedro champion retrain forecast --promote"):
        make_night(newest).predict(load(make_night(learnt)))


def test_error_of_a_lost_covariate_names_neither_table_nor_parameter(
    make_night: Callable[[str], Night],
) -> None:
    with pytest.raises(
        ChampionError, match=r"it reads the covariates \['price'\], which the table lacks"
    ) as caught:
        make_night("single").predict(load(make_night("price")))
    assert "source." not in str(caught.value)


def test_fault_of_the_table_itself_is_told_as_such(make_night: Callable[[str], Night]) -> None:
    """No retraining could read it either."""
    night = make_night("short")
    path = Path(str(night.recipe.source.path))
    whole = path.read_text()
    path.write_text(whole.replace("2023-01-05", "no day"))
    try:
        with pytest.raises(SeriesError, match="no day"):
            night.predict(load(make_night("UTC")))
    finally:
        path.write_text(whole)


@pytest.mark.slow
@pytest.mark.parametrize("learnt", TABLES)
def test_every_command_on_any_other_table_ends_well_or_with_an_error_of_ours(
    make_night: Callable[[str], Night], learnt: str
) -> None:
    """A traceback of any other error fails the test."""
    first = make_night(learnt)
    champion = load(first)
    own_log = first.predict(champion)
    for newest in TABLES:
        night = make_night(newest)
        night.retrain(champion)
        with suppress(RnnPipelinesError):
            night.predict(champion)
        with suppress(RnnPipelinesError):
            night.monitor(first.store, own_log)
        with suppress(RnnPipelinesError):
            night.audit(first.store, own_log)


@pytest.mark.slow
@pytest.mark.parametrize("newest", TABLES)
def test_own_champion_forecasts_a_table(make_night: Callable[[str], Night], newest: str) -> None:
    """So that the command of an error, which retrains on the table, leads out."""
    night = make_night(newest)
    assert len(night.predict(load(night)))
