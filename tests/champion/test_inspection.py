"""What is told of a version is what is there."""

from pathlib import Path

import pytest

from rnn_pipelines.champion.checksums import CHECKSUMS
from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.inspection import find_facts
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError

SINCE = "2026-01-31T02:00:00+00:00"


@pytest.fixture
def store(tmp_path: Path) -> ChampionStore:
    return ChampionStore(tmp_path / "forecast")


@pytest.fixture
def versions(store: ChampionStore) -> list[str]:
    """The champion before, the champion, and one that was kept back."""
    names = [store.add_version({"model": content}) for content in (b"1", b"22", b"333")]
    for name in names[:2]:
        store.promote(name, ["it is better"], SINCE)
    add_record(store.folder, {"kind": "retrain", "outcome": "promoted", "version": names[1]})
    add_record(store.folder, {"kind": "promote", "version": names[1]})
    return names


def test_without_a_name_the_champion_is_told_of(store: ChampionStore, versions: list[str]) -> None:
    facts = find_facts(store, None)
    assert (facts.version, facts.is_champion, facts.since) == (versions[1], True, SINCE)


def test_record_is_that_of_its_retraining(store: ChampionStore, versions: list[str]) -> None:
    assert find_facts(store, None).record["outcome"] == "promoted"


def test_champion_before_is_marked(store: ChampionStore, versions: list[str]) -> None:
    facts = find_facts(store, versions[0])
    assert (facts.is_champion, facts.is_previous, facts.since) == (False, True, None)


def test_version_that_was_kept_back_is_not_in_use(store: ChampionStore, versions: list[str]) -> None:
    facts = find_facts(store, versions[2][-6:])
    assert (facts.version, facts.is_champion, facts.is_previous) == (versions[2], False, False)


def test_sizes_are_those_of_the_files(store: ChampionStore, versions: list[str]) -> None:
    assert find_facts(store, versions[2]).files == {"model": 3}
    assert CHECKSUMS not in find_facts(store, versions[2]).files


def test_damage_is_told(store: ChampionStore, versions: list[str]) -> None:
    (store.folder / "versions" / versions[1] / "model").write_bytes(b"else")
    facts = find_facts(store, None)
    assert "changed after it was written" in facts.problem
    assert facts.files == {}


def test_without_a_champion_the_error_says_what_to_do(store: ChampionStore) -> None:
    with pytest.raises(ChampionError, match=r"no champion yet\. Run kedro champion retrain"):
        find_facts(store, None)
