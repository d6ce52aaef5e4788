"""The audit counts the forecasts that were recorded before their values, and names what is wrong."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.forecast.evaluation.log_stamp import measure_log
from rnn_pipelines.forecast.methods.predictions import ForecastLogTable
from rnn_pipelines.forecast.operations.audit import audit_chain, describe_audit, prove_forecasts
from rnn_pipelines.storage.chain import find_link, link_night, split_nights

KEY = list(ForecastLogTable.key)
FIRST_DAY = pd.Timestamp("2024-01-01")
SERIES = pd.DataFrame(
    {
        "unique_id": "a",
        "ds": pd.date_range(FIRST_DAY, periods=6),
        "y": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        "observed": [True, True, True, True, False, True],
    }
)
NOBODY: KnownChampion = {"versions": {}, "settings": {}}


def make_night(day: int, hours: float = 26, y_hat: float = 0.0) -> pd.DataFrame:
    """Forecasts of two days after a cut-off, and the hours from it to their record."""
    cutoff = FIRST_DAY + pd.Timedelta(days=day)
    return pd.DataFrame(
        {
            "unique_id": "a",
            "cutoff": cutoff,
            "ds": pd.date_range(cutoff, periods=3)[1:],
            "horizon_step": [1, 2],
            "y_hat": y_hat,
            "model_version": "v1",
            "recorded_at": cutoff.tz_localize("UTC") + pd.Timedelta(hours=hours),
            "lo_80": y_hat - 2.5,
            "hi_80": y_hat + 2.5,
        }
    )


def make_log(nights: Iterable[pd.DataFrame], num_unlinked: int = 0) -> pd.DataFrame:
    log = pd.DataFrame()
    for number, night in enumerate(nights):
        *_, last = [log, *split_nights([log] if len(log) else [], KEY)]
        rows = link_night(night, find_link(last)) if number >= num_unlinked else night
        log = pd.concat([log, rows], ignore_index=True)
    return log


def prove(log: pd.DataFrame, champion: KnownChampion = NOBODY) -> dict[str, Any]:
    chain, links = audit_chain(split_nights([log], KEY))
    assert chain["verdict"] == "ok"
    return prove_forecasts(log, links, SERIES, champion)


@pytest.fixture(scope="module")
def proof() -> dict[str, Any]:
    """Days 1 to 3 and 5 have values, that of day 4 was filled in, day 6 has none."""
    return prove(make_log(make_night(day) for day in range(5)))


def test_nights_in_their_order_prove_all_forecasts_with_a_value(proof: dict[str, Any]) -> None:
    names = ("num_forecasts", "num_proven", "num_late", "num_open")
    assert [proof[name] for name in names] == [10, 7, 0, 3]


def test_nights_in_their_order_have_no_forecast_after_its_time(proof: dict[str, Any]) -> None:
    assert proof["after_target"] == {"num_forecasts": 0, "mae": None, "coverage": {}}


def test_errors_of_proven_forecasts_are_measured_by_step(proof: dict[str, Any]) -> None:
    """Step 1: days 1, 2, 3, 5. Step 2: days 2, 3, 5."""
    measured = [(step["num_forecasts"], step["mae"]) for step in proof["by_step"]]
    assert measured == [(4, 11 / 4), (3, 10 / 3)]
    assert proof["mae"] == pytest.approx(21 / 7)


def test_coverage_is_that_of_proven_forecasts(proof: dict[str, Any]) -> None:
    assert proof["coverage"] == {"80": pytest.approx(3 / 7)}


def test_forecast_that_a_later_night_precedes_does_not_count() -> None:
    """That of day 2 from day 0; that of day 1 would be as well."""
    late = make_night(0).assign(recorded_at=pd.Timestamp("2024-01-03 02:00:01", tz="UTC"))
    proof = prove(make_log([make_night(1), late, make_night(2)]))
    assert (proof["num_late"], proof["num_proven"]) == (1, 4)


def test_every_forecast_of_a_late_night_does_not_count() -> None:
    late = make_night(0).assign(recorded_at=pd.Timestamp("2024-01-03 02:00:01", tz="UTC"))
    proof = prove(
        make_log([make_night(2), late.assign(recorded_at=pd.Timestamp("2024-01-05", tz="UTC"))])
    )
    assert proof["num_late"] == 2


def test_forecast_of_a_learnt_value_does_not_count() -> None:
    champion = {**NOBODY, "versions": {"v1": {"trained_until": {"a": "2024-01-02"}}}}
    proof = prove(make_log(make_night(day) for day in range(3)), champion)
    assert proof["num_proven"] == 4 - 1
    assert proof["num_open"] == 6 - 3


def test_forecasts_from_before_the_chain_count_from_the_first_linked_night() -> None:
    """That night knew the values up to day 2, so that the forecast of day 3 alone is proven."""
    nights = [make_night(0), make_night(1), make_night(2)]
    proof = prove(make_log(nights, num_unlinked=2))
    assert proof["num_late"] == 3
    assert proof["num_proven"] == 1 + 1


def test_nothing_is_proven_without_a_chain() -> None:
    nights = [make_night(0), make_night(1), make_night(2)]
    assert prove(make_log(nights, num_unlinked=3))["num_proven"] == 0


def test_forecast_that_is_not_before_its_time_breaks_the_chain() -> None:
    night = make_night(1)
    log = make_log([make_night(0), night.assign(ds=night["cutoff"])])
    chain, _ = audit_chain(split_nights([log], KEY))
    assert (chain["verdict"], chain["num_nights"]) == ("broken", 1)
    assert "available_at is not before target_time" in str(chain["reason"])
    row = chain["row"] or {}
    assert row["available_at"] == row["target_time"] == "2024-01-02"


@pytest.fixture(scope="module")
def stamped() -> str | None:
    """The hash of the first two of three nights."""
    log = make_log(make_night(day) for day in range(3))
    return audit_chain(split_nights([log[:4]], KEY))[0]["sha256"]


def test_chain_that_goes_on_from_the_stamp_is_whole(stamped: str | None) -> None:
    log = make_log(make_night(day) for day in range(3))
    assert audit_chain(split_nights([log], KEY), {"the stamp": stamped})[0]["verdict"] == "ok"


def test_chain_without_the_stamp_is_broken(stamped: str | None) -> None:
    forged = make_log(make_night(day, y_hat=0.1) for day in range(3))
    chain, _ = audit_chain(split_nights([forged], KEY), {"the stamp": stamped})
    assert (chain["verdict"], chain["row"]) == ("broken", None)


def test_first_record_of_a_forecast_counts() -> None:
    again = make_night(0, hours=27, y_hat=9.0)
    assert prove(make_log([make_night(0), again]))["mae"] == 1.5


def test_missing_nights_are_counted() -> None:
    proof = prove(make_log(make_night(day) for day in (0, 3)))
    assert (proof["num_missing_nights"], proof["first_missing_night"]) == (2, "2024-01-02")


def test_clock_does_not_count_for_steps() -> None:
    log = make_log(make_night(day).assign(cutoff=day, ds=[day + 1, day + 2]) for day in range(3))
    _, links = audit_chain(split_nights([log], KEY))
    proof = prove_forecasts(log, links, SERIES.assign(ds=range(6)), NOBODY)
    assert (proof["num_proven"], proof["after_target"]) == (5, None)
    assert not any(
        "clock" in line for line in describe_audit(audit_chain(split_nights([log], KEY))[0], proof)
    )


REPLAYED = [make_night(day, hours=24 * (100 + day)) for day in range(2)]


def test_records_of_old_days_that_are_made_today_are_counted_apart() -> None:
    proof = prove(make_log(REPLAYED))
    assert (proof["num_proven"], proof["mae"], proof["by_step"]) == (0, None, [])
    assert proof["after_target"] == {"num_forecasts": 4, "mae": 2.0, "coverage": {"80": 0.75}}


@pytest.mark.parametrize(("hours", "num_proven", "num_after"), [(47.9, 2, 0), (48, 1, 1)])
def test_record_is_in_time_until_the_end_of_the_day(
    hours: float, num_proven: int, num_after: int
) -> None:
    """The end of day 1 is 48 hours after the beginning of day 0."""
    proof = prove(make_log([make_night(0, hours)]))
    assert proof["num_proven"] == num_proven
    assert proof["after_target"]["num_forecasts"] == num_after


def test_lines_describe_records_after_their_time() -> None:
    chain, links = audit_chain(split_nights([make_log(REPLAYED)], KEY))
    lines = describe_audit(chain, prove_forecasts(make_log(REPLAYED), links, SERIES, NOBODY))
    assert lines[0] == "0 forecasts, each written before its value"
    assert (
        "4 more: after their time by the clock, before a night knew the value: MAE 2.000, 75.0 % inside 80 %"
        in lines[1:]
    )


def test_lines_describe_rows_from_before_the_chain() -> None:
    log = make_log((make_night(day) for day in range(2)), num_unlinked=2)
    chain, links = audit_chain(split_nights([log], KEY))
    lines = describe_audit(chain, prove_forecasts(log, links, SERIES, NOBODY))
    assert "chain: 4 rows from before the chain; the next night carries their hash" in lines
    assert not any("None" in line or "unchanged" in line for line in lines)


def test_lines_begin_with_the_proof() -> None:
    log = make_log((make_night(day) for day in range(3)), num_unlinked=1)
    chain, links = audit_chain(split_nights([log], KEY))
    lines = describe_audit(chain, prove_forecasts(log, links, SERIES, NOBODY))
    assert lines[0].startswith(
        "4 forecasts, each written before its value: MAE 2.500, 50.0 % inside 80 %"
    )
    assert any("2 of the rows are from before the chain" in line for line in lines)
    assert any(line.startswith("step 1 (2 forecasts): MAE 2.500") for line in lines)


def test_lines_begin_with_the_row_that_is_broken() -> None:
    log = make_log(make_night(day) for day in range(3))
    chain, _ = audit_chain(
        split_nights([log.assign(y_hat=np.where(log.index == 2, 9.0, 0.0))], KEY)
    )
    first, second = describe_audit(chain, None)
    assert first.startswith(
        "broken: unique_id a, available_at 2024-01-02, target_time 2024-01-03, model_version v1"
    )
    assert second == "1 night before it, with 2 rows, are unchanged"


def test_lost_nights_break_the_chain() -> None:
    log = make_log(make_night(day) for day in range(3))
    kept = measure_log(log)
    chain, _ = audit_chain(split_nights([log.iloc[:0]], KEY), kept=kept)
    assert chain["verdict"] == "broken"
    assert "3 nights" in str(chain["reason"])


def test_whole_log_has_the_nights_of_its_stamp() -> None:
    log = make_log((make_night(day) for day in range(3)), num_unlinked=2)
    kept = measure_log(log.iloc[:4])
    assert audit_chain(split_nights([log], KEY), kept=kept)[0]["verdict"] == "ok"


def test_chain_is_told_without_the_series() -> None:
    chain, _ = audit_chain(split_nights([make_log([make_night(0)])], KEY))
    lines = describe_audit(chain, None, "sales.csv is missing")
    assert str(chain["sha256"]) in " ".join(lines)
    assert "sales.csv is missing" in " ".join(lines)


def test_forecasts_from_a_corrected_value_do_not_count() -> None:
    """The value of day 1 was gross in its night, and is 1 today."""
    marks = {
        "is_suspect": True,
        "suspect_reason": "900.0 at 2024-01-02, after values from 0 to 1",
    }
    good = make_night(0).assign(is_suspect=False, suspect_reason="")
    log = make_log([good, make_night(1, y_hat=900.0).assign(**marks)])
    proof = prove(log)
    assert (proof["num_corrected"], proof["num_proven"], proof["mae"]) == (2, 2, 1.5)


def test_lines_count_the_forecasts_from_a_corrected_value() -> None:
    chain, links = audit_chain(split_nights([make_log([make_night(0)])], KEY))
    proof = prove_forecasts(make_log([make_night(0)]), links, SERIES, NOBODY)
    lines = describe_audit(chain, {**proof, "num_corrected": 2})
    assert "2 not counted: made from a gross value that was corrected afterwards" in lines


@pytest.mark.parametrize(("hours", "num_sealed"), [(1, 2), (25, 1), (49, 0)])
def test_forecasts_that_an_authority_saw_before_their_value_are_counted(
    hours: float, num_sealed: int
) -> None:
    """The steps of the two forecasts of the first night end 24 and 48 hours after its record."""
    log = make_log([make_night(0, hours=24), make_night(1, hours=24)])
    _, links = audit_chain(split_nights([log], KEY))
    first = links[0].recorded_at
    proof = prove_forecasts(
        log, links, SERIES, NOBODY, seals=[(first, first + pd.Timedelta(hours=hours))]
    )
    assert proof["num_sealed"] == num_sealed
