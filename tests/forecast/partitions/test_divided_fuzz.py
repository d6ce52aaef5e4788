"""A table of any form is read divided as it is read whole, or refused in the same words.

`RNN_FUZZ_FOLDERS` says how many tables are made up; a failure names its seed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from divided_tables import explain_difference, read, read_divided
from fuzzing import Random, choose, happens, list_seeds
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.reading import batches

pytestmark = pytest.mark.slow

SEEDS = list_seeds("RNN_FUZZ_FOLDERS", 60)

Forms = dict[str, Callable[[Any], Any]]

# How times are written in CSV files, and in columns of texts.
TIMES: Forms = {
    "iso": lambda time: f"{time:%Y-%m-%d}",
    "iso with seconds": lambda time: f"{time:%Y-%m-%d %H:%M:%S}",
    "iso with a zone": lambda time: f"{time:%Y-%m-%dT%H:%M:%S}Z",
    "iso with an offset": lambda time: f"{time:%Y-%m-%d %H:%M}+02:00",
    "iso with offsets of clocks": lambda time: f"{time:%Y-%m-%d %H:%M}+0{1 + time.day % 9 // 8}:00",
    "iso with a fraction": lambda time: f"{time:%Y-%m-%d %H:%M:%S}.250",
    "german": lambda time: f"{time:%d.%m.%Y}",
    "iso between blanks": lambda time: f" {time:%Y-%m-%d} ",
    "american": lambda time: f"{time:%m/%d/%Y}",
    "british with hours": lambda time: f"{time:%d/%m/%Y %H:%M}",
    "american with pm": lambda time: f"{time:%m/%d/%y %I:%M %p}",
    "named months": lambda time: f"{time:%d %b %Y}",
    "digits": lambda time: f"{time:%Y%m%d}",
    "digits with minutes": lambda time: f"{time:%Y%m%d%H%M}",
    "months": lambda time: f"{time:%Y%m}",
    "steps": lambda time: str((time - pd.Timestamp("2023-12-01")).days),
    "epochs": lambda time: str(int(time.timestamp())),
    "decimal years": lambda time: f"{time.year + time.day_of_year / 400:.3f}",
}
NUMBERS: Forms = {
    "plain": lambda value: f"{value:.2f}",
    "three decimals": lambda value: f"{value % 900 + 1:.3f}",
    "whole": lambda value: f"{value:.0f}",
    "comma": lambda value: f"{value:.2f}".replace(".", ","),
    "comma, three decimals": lambda value: f"{value % 900 + 1:.3f}".replace(".", ","),
    "english thousands": lambda value: f"{1000 * value:,.1f}",
    "whole english thousands": lambda value: f"{1000 * value:,.0f}",
    "german thousands": lambda value: (
        f"{1000 * value:,.1f}".replace(",", " ").replace(".", ",").replace(" ", ".")
    ),
    "swiss thousands": lambda value: f"{1000 * value:,.1f}".replace(",", "'"),
    "exact": lambda value: repr(value / 7),
    "exponents": lambda value: f"{value:.3e}",
    "units": lambda value: f"{value:.1f} kWh",
    "money": lambda value: f"€{value:,.2f}",
    "accounts": lambda value: f"({abs(value):.2f})" if value % 3 < 1 else f"{abs(value):.2f}",
}
STRANGE_NUMBERS = (
    "",
    "NA",
    "n/a",
    "-",
    "?",
    "-999",
    "-999.0",
    "9999",
    "abc",
    "1.234",
    "1,234",
    "1e39",
    "3.5e38",
    "inf",
    "true",
    "12 kg",
    "1.2.3",
    " 5 ",
    "0.5",
    "01",
    "99999999999999999999",
    "1'000",
    "−4",
    "5-",
    "0x1F",
    "1_000",
    "٣",
)
STRANGE_TIMES = (
    "",
    "soon",
    "2024-13-01",
    "31.12.2024",
    "12/31/2024",
    "2024-02-30",
    "20240101",
    "5",
    "now",
    "0000-01-01",
)
STRANGE_NAMES = ("", " ", "0100", "1", "a\0b", "nan", "ä", "x y", "1.0", "None")
CATEGORIES: Forms = {
    "words": lambda value: ("low", "high", "none")[int(value) % 3],
    "codes": lambda value: f"{int(value) % 30:02d}",
    "flags": lambda value: ("yes", "no")[int(value) % 2],
    "numbers or words": lambda value: "A1" if value % 10 < 1 else f"{int(value) % 9}",
    "sparse": lambda value: "" if value % 2 < 1 else f"{value:.1f}",
}


def make_cells(random: Random) -> pd.DataFrame:
    """The true rows: name, time and two numbers, one series after the other, by time, or in no order."""
    num_series = int(random.integers(4, 25))
    num_steps = int(random.integers(3, 30))
    start = pd.Timestamp(choose(random, ["2024-01-01", "2024-01-15", "2023-06-10", "2020-02-20"]))
    spacing = choose(random, ["D", "h", "MS"])
    table = pd.DataFrame(
        {
            "id": np.repeat(np.arange(num_series), num_steps),
            "ds": np.tile(pd.date_range(start, periods=num_steps, freq=spacing), num_series),
            "y": (random.normal(100, 30, num_series * num_steps)).round(4),
            "price": random.uniform(1, 50, num_series * num_steps).round(3),
        }
    )
    order = choose(random, ["series", "time", "none"])
    if order == "time":
        return table.sort_values(["ds", "id"], ignore_index=True, kind="stable")
    return (
        table
        if order == "series"
        else table.sample(frac=1, random_state=int(random.integers(99)), ignore_index=True)
    )


def write_texts(random: Random, table: pd.DataFrame, forms: dict[str, str]) -> pd.DataFrame:
    """The rows as texts, with some strange cells."""
    names = {"text": "s{}", "digits": "{}", "zeros": "{:04d}", "umlauts": "Köln {}"}[forms["id"]]
    texts = pd.DataFrame(
        {
            "id": [names.format(number) for number in table["id"]],
            "ds": [TIMES[forms["ds"]](time) for time in table["ds"]],
            "y": [NUMBERS[forms["y"]](value) for value in table["y"]],
            "price": [(NUMBERS | CATEGORIES)[forms["price"]](value) for value in table["price"]],
        },
        dtype=object,
    )
    strange = {
        "y": STRANGE_NUMBERS,
        "price": STRANGE_NUMBERS,
        "ds": STRANGE_TIMES,
        "id": STRANGE_NAMES,
    }
    for name, cells in strange.items():
        if happens(random, {"y": 0.25, "price": 0.2, "ds": 0.05, "id": 0.05}[name]):
            cell = choose(random, cells)
            for place in random.integers(len(texts), size=int(random.integers(1, 6))):
                texts.loc[place, name] = cell
    return texts


def choose_forms(random: Random) -> dict[str, str]:
    common = happens(random, 0.5)
    return {
        "id": choose(random, ["text", "digits", "zeros", "umlauts"]),
        "ds": choose(random, list(TIMES)[:3] if common else TIMES),
        "y": choose(random, ["plain", "three decimals", "whole"] if common else NUMBERS),
        "price": choose(random, ["plain", "whole", "words"] if common else [*NUMBERS, *CATEGORIES]),
    }


def write_csv(random: Random, path: Path, texts: pd.DataFrame) -> None:
    """A CSV file in any dialect, with or without a fault."""
    sep = choose(random, [",", ",", ",", ";", "\t", "|"])
    header = list(texts)
    if happens(random, 0.2):
        texts = texts.assign(extra="z")
        header = [*header, choose(random, ["", "extra", "y", " note "])]
    if happens(random, 0.1):
        texts.insert(0, "index", range(len(texts)))
        header = ["", *header]
    if happens(random, 0.1):
        header = [f" {name} " for name in header]

    def write(cells: list[Any]) -> str:
        return sep.join(f'"{cell}"' if sep in str(cell) else str(cell) for cell in cells)

    lines = [write(header), *(write(row) for row in texts.to_numpy().tolist())]
    fault = choose(
        random,
        [None] * 6
        + ["comma", "commas", "short", "header", "empty", "footer", "late", "titles", "end"],
    )
    some = int(random.integers(1, len(lines)))
    if fault == "comma":
        lines[some] += sep
    elif fault == "commas":
        lines[1:] = [line + sep for line in lines[1:]]
    elif fault == "end":
        lines = [line + sep for line in lines]
    elif fault == "short":
        lines[some] = lines[some].rsplit(sep, int(random.integers(1, 3)))[0]
    elif fault == "header":
        lines.insert(some, lines[0])
    elif fault == "empty":
        lines[some:some] = [choose(random, ["", sep * (len(header) - 1)])] * int(
            random.integers(1, 30)
        )
    elif fault == "titles":
        lines[:0] = ["Sales", "", "of all shops"]
    elif fault == "footer":
        rows = choose(
            random,
            [
                ["Total"],
                ["Total" + sep * (len(header) - 1)],
                ["", "Source: office, 2024"],
                ["#"] * 3,
            ],
        )
        lines += [sep * (len(header) - 1)] * int(random.integers(3)) + rows
    text = choose(random, ["\n", "\n", "\r\n"]).join(lines) + choose(random, ["\n", "", "\n\n"])
    encoding = choose(random, ["utf-8"] * 5 + ["utf-8-sig", "cp1252", "utf-16"])
    if fault == "late":
        text = text + "\n" + lines[-1].replace("s", "ö", 1) + "é\n"
        encoding = "cp1252"
    path.with_suffix(".csv").write_bytes(text.encode(encoding, errors="replace"))


def write_parquet(random: Random, path: Path, table: pd.DataFrame, texts: pd.DataFrame) -> None:
    """A Parquet file whose columns have any types."""
    ids = table["id"].to_numpy()
    times = table["ds"]
    values = table["y"].to_numpy()
    utc = times.dt.tz_localize("UTC")
    kinds: dict[str, dict[str, Callable[[], pa.Array]]] = {
        "id": {
            "text": lambda: pa.array(texts["id"], pa.string()),
            "large text": lambda: pa.array(texts["id"], pa.large_string()),
            "dictionary": lambda: pa.array(texts["id"], pa.string()).dictionary_encode(),
            "int64": lambda: pa.array(ids, pa.int64()),
            "int16": lambda: pa.array(ids, pa.int16()),
            "uint64": lambda: pa.array(ids.astype("uint64") + np.uint64(2**63), pa.uint64()),
            "float64": lambda: pa.array(ids, pa.float64()),
            "bytes": lambda: pa.array([f"s{one}".encode() for one in ids], pa.binary()),
            "no text": lambda: pa.array(
                [b"\xff" + bytes([65 + one % 20]) for one in ids], pa.binary()
            ),
        },
        "ds": {
            "us": lambda: pa.array(times).cast(pa.timestamp("us")),
            "ns": lambda: pa.array(times).cast(pa.timestamp("ns")),
            "s": lambda: pa.array(times).cast(pa.timestamp("s")),
            "UTC": lambda: pa.array(utc).cast(pa.timestamp("us", "UTC")),
            "Berlin": lambda: pa.array(utc.dt.tz_convert("Europe/Berlin")).cast(
                pa.timestamp("us", "Europe/Berlin")
            ),
            "date": lambda: pa.array(times.dt.date),
            "date64": lambda: pa.array(times.dt.date).cast(pa.date64()),
            "text": lambda: pa.array(texts["ds"], pa.string()),
            "digits": lambda: pa.array(times.dt.strftime("%Y%m%d").astype(int)),
            "steps": lambda: pa.array((times - times.min()).dt.days),
            "epochs": lambda: pa.array(times.astype("datetime64[s]").astype("int64")),
        },
        "y": {
            "float64": lambda: pa.array(values),
            "float32": lambda: pa.array(values, pa.float32()),
            "int64": lambda: pa.array(values.astype(int)),
            "int64 with missing ones": lambda: pa.array(
                [None if one % 5 < 1 else int(one) for one in values]
            ),
            "text": lambda: pa.array(texts["y"], pa.string()),
            "sentinels": lambda: pa.array(np.where(values % 9 < 1, -999.0, np.abs(values))),
            "too large": lambda: pa.array(np.where(values % 50 < 1, 1e39, values)),
            "missing": lambda: pa.array([None] * len(values), pa.float64()),
            "nothing": lambda: pa.nulls(len(values)),
            "decimal": lambda: pa.array(values.round(2)).cast(pa.decimal128(12, 2), safe=False),
        },
        "price": {
            "float64": lambda: pa.array(table["price"]),
            "text": lambda: pa.array(texts["price"], pa.string()),
            "int8": lambda: pa.array(table["price"].astype("int8")),
            "flags": lambda: pa.array(table["price"] > 20),
            "flags with missing ones": lambda: pa.array(
                [None if one < 5 else one > 20 for one in table["price"]]
            ),
        },
    }
    columns = {
        name: found[next(iter(found)) if happens(random, 0.6) else choose(random, found)]()
        for name, found in kinds.items()
    }
    rows = int(random.integers(1, 60))
    pa.parquet.write_table(pa.table(columns), path.with_suffix(".parquet"), row_group_size=rows)


def write_table(random: Random, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Files of a table, and the parameters to read them."""
    table = make_cells(random)
    num_files = int(choose(random, [1, 1, 2, 3]))
    forms = choose_forms(random)
    kinds = choose(random, ["csv", "csv", "parquet", "both"])
    names = [f"{number}-{'abc'[number]}" for number in range(num_files)]
    stops = np.linspace(0, len(table), num_files + 1).astype(int)
    state = random.bit_generator.state
    for name, first, last in zip(names, stops, stops[1:], strict=False):
        part = table[first:last].reset_index(drop=True)
        if happens(random, 0.15):
            forms = choose_forms(random)
        texts = write_texts(random, part, forms)
        if kinds == "csv" or (kinds == "both" and happens(random, 0.5)):
            write_csv(random, folder / name, texts)
        else:
            # Most files of a folder have the same types.
            types = np.random.default_rng()
            types.bit_generator.state = state
            write_parquet(types if happens(random, 0.8) else random, folder / name, part, texts)
    files = sorted(folder.iterdir())
    source: dict[str, Any] = {"id": "id", "path": str(files[0] if num_files == 1 else folder)}
    if happens(random, 0.1):
        source |= choose(
            random,
            [{"decimal": "comma"}, {"decimal": "point"}, {"time_format": "%d.%m.%Y"}, {"sep": ";"}],
        )
    if happens(random, 0.1):
        source |= choose(
            random,
            [
                {"encoding": "utf-8"},
                {"valid_range": (0, 500)},
                {"freq": "D"},
                {"target": "price"},
                {"unavailable": "price"},
            ],
        )
    return Path(source["path"]), source


@pytest.mark.parametrize("seed", SEEDS)
def test_table_is_read_divided_as_it_is_read_whole(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(seed)
    (tmp_path / "table").mkdir()
    path, given = write_table(random, tmp_path / "table")
    source = SourceSpec(**given)
    covariates = CovariateSpec()
    if happens(random, 0.5) and source.target == "y":
        covariates = CovariateSpec(**{choose(random, ["past", "future"]): ("price",)})
    monkeypatch.setattr(batches, "BATCH_ROWS", int(choose(random, [7, 50, 1000])))
    whole = read(source, covariates)
    divided = read_divided(
        source, covariates, PartitionSpec(training_rows=8, rows=8), tmp_path / "partitions"
    )
    if divided is not None:
        difference = explain_difference(whole, divided)
        assert difference is None, (
            f"seed {seed}, {given}, {sorted(one.name for one in path.parent.iterdir())}\n{difference}"
        )
