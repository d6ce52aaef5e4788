"""Tables for a terminal say what is on record, and a dash where nothing is."""

import re
from dataclasses import replace
from typing import Any

import pytest

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.champion.tables import (
    VersionFacts,
    describe_version,
    find_facts,
    format_table,
    tabulate_history,
)
from rnn_pipelines.errors import ChampionError

SINCE = "2026-01-31T02:00:00+00:00"

KEPT = {
    "kind": "retrain",
    "at": "2026-01-31T02:00:00+00:00",
    "outcome": "kept",
    "version": "2026-01-31T02.00.00.000000Z-abc123",
    "reasons": ["its loss is 5", "and that is worse"],
    "metrics": {
        "challenger": {"loss": 5.0, "validation_loss": 4.5},
        "champion": {"loss": 4.123456, "validation_loss": None},
        "baselines": {"ridge": 6.0},
    },
    "data": {
        "source": "sales.csv",
        "num_series": 2,
        "num_steps": 1400,
        "first": "2024-01-01",
        "last": "2026-01-30",
    },
    "as_of": None,
    "p_value": 0.25,
    "fingerprints": {"data": "0123456789abcdef"},
    "commit": None,
    "seeds": [0, 1],
    "seconds": {"training": 12.0},
    "versions": {"python": "3.12.1"},
}


@pytest.fixture
def known() -> VersionFacts:
    files = {"lstm.keras": 28547}
    return VersionFacts(KEPT["version"], False, False, None, [], None, files, KEPT)


def find_row(text: str, name: str) -> str:
    return next(
        line.removeprefix(name).strip() for line in text.splitlines() if line.startswith(name)
    )


def test_columns_of_a_table_are_aligned() -> None:
    assert format_table([("a", "b"), ("long", "c")]) == "a     b\nlong  c"


def test_history_has_a_line_for_each_record() -> None:
    assert len(tabulate_history([KEPT, KEPT], None).splitlines()) == 3


def test_a_line_of_the_history_has_the_losses_with_the_reasons() -> None:
    line = tabulate_history([KEPT], None).splitlines()[1]
    told = [
        "2026-01-31T02:00:00+00:00",
        "retrain",
        "kept",
        "abc123",
        "5",
        "4.123",
        "its loss is 5; and that is worse",
    ]
    assert re.split(" {2,}", line) == told


def test_history_compares_on_what_the_champion_can_forecast() -> None:
    # Where the champion has no forecast of some.
    assert re.split(" {2,}", tabulate_history([PARTLY], None).splitlines()[1])[4:6] == ["5", "4"]


def test_the_champion_is_marked_in_the_history() -> None:
    assert "abc123*" in tabulate_history([KEPT], KEPT["version"])


def test_a_failure_has_its_error_in_the_history() -> None:
    failed = {
        "kind": "retrain",
        "outcome": "failed",
        "version": None,
        "reasons": ["it failed"],
        "error": "E: a\n b",
    }
    assert tabulate_history([failed], None).splitlines()[1].endswith("E: a b")


def test_a_rollback_has_no_losses_in_the_history() -> None:
    line = tabulate_history(
        [{"kind": "rollback", "version": "x-abc123", "reasons": ["wrong"]}], None
    ).splitlines()[1]
    assert line.split() == ["–", "rollback", "–", "abc123", "–", "–", "wrong"]


PARTLY = KEPT | {
    "metrics": {
        "challenger": {"loss": 9.0, "shared_loss": 5.0, "validation_loss": 4.5},
        "champion": {"shared_loss": 4.0, "validation_loss": None},
        "baselines": {"ridge": 6.0},
    }
}


def test_a_version_has_the_losses_that_compare(known: VersionFacts) -> None:
    text = describe_version(replace(known, record=PARTLY))
    assert find_row(text, "on the holdout").split("  ") == [
        "loss",
        "shared loss",
        "validation loss",
    ]
    assert find_row(text, "challenger").split() == ["9", "5", "4.5"]
    assert find_row(text, "champion").split() == ["–", "4", "–"]
    assert find_row(text, "ridge").split() == ["6", "–", "–"]


def test_a_version_without_record_has_its_files_alone(known: VersionFacts) -> None:
    text = describe_version(replace(known, record=None))
    assert text.splitlines()[1:] == ["in use   no", "files    lstm.keras (28,547 bytes)"]


def test_a_damaged_version_has_its_problem(known: VersionFacts) -> None:
    assert (
        find_row(describe_version(replace(known, problem="it is gone")), "files")
        == "damaged: it is gone"
    )


def test_a_version_has_the_losses_of_each_method(known: VersionFacts) -> None:
    text = describe_version(known)
    assert find_row(text, "challenger").split() == ["5", "4.5"]
    assert find_row(text, "champion").split() == ["4.123", "–"]
    assert find_row(text, "ridge").split() == ["6", "–"]


def test_a_version_has_the_size_of_its_data(known: VersionFacts) -> None:
    assert (
        find_row(describe_version(known), "data ")
        == "sales.csv: 2024-01-01 to 2026-01-30, 2 series, 1,400 steps"
    )


def test_a_version_has_the_reason_of_its_promotion_by_hand_once(known: VersionFacts) -> None:
    text = describe_version(replace(known, reasons=["I know better", *known.reasons]))
    assert find_row(text, "manual") == "I know better"
    assert text.count("manual") == 1


@pytest.mark.parametrize(
    ("use", "told"),
    [
        ({"is_champion": True, "since": "2026-01-31"}, "the champion since 2026-01-31"),
        ({"is_champion": True, "since": ""}, "the champion since an unknown time"),
        ({"is_previous": True}, "a previous champion"),
    ],
)
def test_use_is_told(known: VersionFacts, use: dict[str, Any], told: str) -> None:
    assert find_row(describe_version(replace(known, **use)), "in use") == told


@pytest.fixture
def versions(store: ChampionStore) -> list[str]:
    """The champion before, the champion, and one that was kept back."""
    names = [store.add_version({"model": content}) for content in (b"1", b"22", b"333")]
    for name in names[:2]:
        store.promote(name, ["it is better"], SINCE)
    add_record(store.folder, {"kind": "retrain", "outcome": "promoted", "version": names[1]})
    add_record(store.folder, {"kind": "promote", "version": names[1]})
    return names


@pytest.mark.parametrize(
    ("place", "use"),
    [(0, (False, True, None)), (1, (True, False, SINCE)), (2, (False, False, None))],
)
def test_facts_of_a_version_have_its_use(
    store: ChampionStore, versions: list[str], place: int, use: tuple[bool, bool, str | None]
) -> None:
    facts = find_facts(store, versions[place][-6:])
    assert (facts.version, (facts.is_champion, facts.is_previous, facts.since)) == (
        versions[place],
        use,
    )


@pytest.mark.parametrize("place", range(3))
def test_facts_of_a_version_have_its_files(
    store: ChampionStore, versions: list[str], place: int
) -> None:
    facts = find_facts(store, versions[place][-6:])
    assert facts.files == {"model": place + 1}


def test_without_a_name_the_facts_are_those_of_the_champion(
    store: ChampionStore, versions: list[str]
) -> None:
    facts = find_facts(store, None)
    assert (facts.version, facts.record["outcome"]) == (versions[1], "promoted")
    (store.folder / "versions" / versions[1] / "model").write_bytes(b"else")
    facts = find_facts(store, None)
    assert "changed after it was written" in facts.problem
    assert facts.files == {}


def test_without_a_champion_the_error_says_what_to_do(store: ChampionStore) -> None:
    with pytest.raises(ChampionError, match="Run kedro champion retrain"):
        find_facts(store, None)
