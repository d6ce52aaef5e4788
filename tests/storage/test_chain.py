"""Any row of a log that is changed, removed, added or moved is found, and named."""

import hashlib
import json
import struct
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import BrokenChainError
from rnn_pipelines.storage.chain import (
    CHECK,
    FIRST,
    LINKS,
    PREVIOUS,
    TAKEN_OVER,
    find_link,
    link_night,
    split_nights,
    verify_chain,
)

KEY = ["name", "ds", "recorded_at"]
NUM_NIGHTS, NUM_ROWS = 4, 5


def make_night(night: int, num_rows: int = NUM_ROWS) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": [f"ø {row}" for row in range(num_rows)],
            "ds": pd.Timestamp("2024-01-01") + pd.Timedelta(days=night),
            "step": range(1, num_rows + 1),
            "y": [night + row / 3 for row in range(num_rows)],
            "recorded_at": pd.Timestamp("2024-02-01 01:00", tz="UTC") + pd.Timedelta(days=night),
        }
    )


def make_log(num_unlinked: int = 0) -> pd.DataFrame:
    """The first nights may be from before the chain."""
    log = pd.DataFrame()
    for night in range(NUM_NIGHTS):
        rows = make_night(night)
        if night >= num_unlinked:
            *_, last = [log, *split_nights([log] if len(log) else [], KEY)]
            rows = link_night(rows, find_link(last))
        log = pd.concat([log, rows], ignore_index=True)
    return log


def verify(log: pd.DataFrame) -> int:
    """The number of rows that match."""
    return sum(link.num_rows for link in verify_chain(split_nights([log], KEY), KEY))


def catch(log: pd.DataFrame) -> BrokenChainError:
    with pytest.raises(BrokenChainError) as caught:
        verify(log)
    return caught.value


def test_an_untouched_log_matches() -> None:
    assert verify(make_log()) == NUM_NIGHTS * NUM_ROWS


def test_a_log_with_a_new_column_matches() -> None:
    assert verify(make_log().assign(lo_80=np.nan)) == NUM_NIGHTS * NUM_ROWS


def test_every_nan_is_the_same_value() -> None:
    other = np.array([0x7FF8000000000001], "uint64").view("float64")[0]
    rows = make_night(0)
    linked = link_night(change(rows, 1, "y", np.nan), FIRST)
    assert verify(change(linked, 1, "y", other)) == NUM_ROWS


@pytest.fixture(scope="module")
def long_log() -> pd.DataFrame:
    rows = make_night(0, num_rows=70_000).sort_values(KEY, ignore_index=True)
    return link_night(rows, FIRST)


def test_a_long_night_matches(long_log: pd.DataFrame) -> None:
    assert verify(long_log) == len(long_log)


def test_a_change_in_a_long_night_is_found(long_log: pd.DataFrame) -> None:
    assert catch(change(long_log, 69_999, "y", 0.0)).key == long_log.iloc[69_999][KEY].to_dict()


def test_nights_before_the_chain_are_not_linked() -> None:
    log = make_log(num_unlinked=NUM_NIGHTS)
    (link,) = verify_chain(split_nights([log], KEY), KEY)
    assert (link.num_rows, link.is_linked) == (len(log), False)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_tables_of_any_size_are_split_into_the_same_nights(size: int) -> None:
    log = make_log(num_unlinked=2)
    parts = [log[start : start + size] for start in range(0, len(log), size)]
    nights = list(split_nights(parts, KEY))
    assert [len(night) for night in nights] == [2 * NUM_ROWS, NUM_ROWS, NUM_ROWS]
    assert sum(link.num_rows for link in verify_chain(nights, KEY)) == len(log)


def test_check_of_a_row_is_the_documented_hash() -> None:
    """By the standard library alone, so that other programs can verify a log."""
    rows = make_night(0, num_rows=2).assign(lo_80=np.nan, hi_80=[np.nan, 2.0])
    columns = [
        ["ds", "time"], ["hi_80", "float"], ["name", "text"], ["recorded_at", "time"], ["step", "int"], ["y", "float"],
    ]  # fmt: skip
    seed = hashlib.sha256(json.dumps([FIRST, 2, columns]).encode()).digest()
    checks = []
    for place, row in enumerate(rows.itertuples(), start=1):
        ds, recorded_at = (int(time.timestamp()) * 1_000_000 for time in (row.ds, row.recorded_at))
        text = hashlib.sha256(row.name.encode()).digest()
        content = (
            struct.pack("<qqd", place, ds, row.hi_80)
            + text
            + struct.pack("<qqd", recorded_at, row.step, row.y)
        )
        checks.append(f"{place}/2:{hashlib.sha256(seed + content).hexdigest()[:32]}")
    linked = link_night(rows, FIRST)
    assert linked[CHECK].tolist() == checks
    assert find_link(linked) == hashlib.sha256("\n".join([FIRST, *checks]).encode()).hexdigest()


def change(log: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    return log.assign(
        **{column: [value if place == row else cell for place, cell in enumerate(log[column])]}
    )


@pytest.mark.parametrize("row", [0, 7, NUM_NIGHTS * NUM_ROWS - 1], ids=["first", "middle", "last"])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("y", 0.1 + 0.2),
        ("y", np.nan),
        ("y", np.inf),
        ("step", 9),
        ("name", "ø"),
        ("ds", pd.Timestamp("2024-01-01 00:00:00.000001")),
        (CHECK, "1/5:0"),
        (CHECK, None),
        (PREVIOUS, "0"),
    ],
)
def test_changed_row_is_named(row: int, column: str, value: object) -> None:
    log = change(make_log(), row, column, value)
    assert catch(log).key == log.iloc[row][KEY].to_dict()


def test_a_changed_row_is_found() -> None:
    log = make_log()
    catch(change(log, 7, "y", np.nextafter(log["y"][7], 9)))


def test_a_row_that_is_missing_is_found() -> None:
    log = make_log()
    moved = log.iloc[[2]].assign(recorded_at=log["recorded_at"][12])
    error = catch(pd.concat([log.drop(index=2)[:14], moved, log[15:]], ignore_index=True))
    assert error.key == log.iloc[3][KEY].to_dict()


def test_a_row_that_was_added_is_found() -> None:
    log = make_log()
    moved = log.iloc[[2]].assign(recorded_at=log["recorded_at"][12])
    error = catch(pd.concat([log[:14], moved, log[14:]], ignore_index=True))
    assert error.key == moved.iloc[0][KEY].to_dict()


def test_rows_in_another_order_are_found() -> None:
    log = make_log()
    catch(log.iloc[[0, 2, 1, *range(3, len(log))]])


def test_nights_in_another_order_are_found() -> None:
    log = make_log()
    catch(log.iloc[[*range(5, 10), *range(5), *range(10, len(log))]])


def test_a_forged_night_is_found_by_the_next() -> None:
    log = make_log()
    forged = link_night(log[5:10].assign(y=0.0), log[PREVIOUS][5])
    error = catch(pd.concat([log[:5], forged, log[10:]], ignore_index=True))
    assert "the night before" in str(error)
    assert error.key == log.iloc[10][KEY].to_dict()


@pytest.mark.parametrize("row", range(NUM_NIGHTS * NUM_ROWS))
def test_removed_or_doubled_row_is_found(row: int) -> None:
    """The row after it is named, or if it was the last one of a night, the row before it."""
    log = make_log()
    named = row + 1 if (row + 1) % NUM_ROWS else row - 1
    error = catch(log.drop(index=row))
    assert error.key == log.iloc[named][KEY].to_dict()
    assert "removed" in str(error)
    catch(pd.concat([log[: row + 1], log[row:]], ignore_index=True))


@pytest.mark.parametrize("links", [{}, dict.fromkeys(LINKS)], ids=["copied links", "no links"])
@pytest.mark.parametrize("place", [1, 7, NUM_NIGHTS * NUM_ROWS])
def test_added_row_is_named(links: dict[str, None], place: int) -> None:
    log = make_log()
    added = log.iloc[[place - 1]].assign(name="added", **links)
    error = catch(pd.concat([log[:place], added, log[place:]], ignore_index=True))
    assert error.key == added.iloc[0][KEY].to_dict()


@pytest.mark.parametrize("night", range(NUM_NIGHTS - 1))
def test_removed_night_is_found_at_the_night_after_it(night: int) -> None:
    """That of the newest night is not: only a stamp shows it."""
    log = make_log()
    error = catch(log.drop(index=range(NUM_ROWS * night, NUM_ROWS * (night + 1))))
    assert error.key == log.iloc[NUM_ROWS * (night + 1)][KEY].to_dict()


def test_rows_of_before_the_chain_are_taken_over_by_a_link_that_says_so() -> None:
    log = make_log(num_unlinked=2)
    assert log[PREVIOUS].isna().sum() == 2 * NUM_ROWS
    assert log[PREVIOUS][2 * NUM_ROWS].startswith(TAKEN_OVER)
    links = list(verify_chain(split_nights([log], KEY), KEY))
    assert [link.is_linked for link in links] == [False, True, True]


@pytest.mark.parametrize(
    "damage",
    [
        lambda log: change(log, 1, "y", 0.5),
        lambda log: log.drop(index=1),
        lambda log: pd.concat([log[:1].assign(name="added"), log], ignore_index=True),
        lambda log: log[2 * NUM_ROWS :],
    ],
    ids=["changed", "removed", "added", "all removed"],
)
def test_damage_to_rows_of_before_the_chain_is_found(
    damage: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    assert "the night before it was changed or removed" in str(
        catch(damage(make_log(num_unlinked=2)))
    )
