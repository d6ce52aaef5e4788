"""Serving over HTTP on loopback."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.folders import load_folder
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.console.main import commands
from rnn_pipelines.console.models import ServedModels
from rnn_pipelines.console.serve import make_server

SINCE = "2024-01-01T00:00:00+00:00"


SMALL: dict[str, Any] = {"training": {"max_steps": 25}, "lstm": {"members": 1}, "gru": {"members": 1}, "lookback": 14}


def make_frame(seed: int = 0) -> pd.DataFrame:
    values = 50 + np.sin(np.arange(90) * 2 * np.pi / 7) + np.random.default_rng(seed).normal(0, 0.5, 90)
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=90).astype(str), "y": values})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """The files of two forecasters, whose forecasts of the same rows differ."""
    folder, found = tmp_path_factory.mktemp("models"), []
    for seed in (0, 1):
        Forecaster(h=3, **SMALL).fit(make_frame(seed)).save(folder / str(seed))
        found.append(load_folder(folder / str(seed)))
    return found


@pytest.fixture
def store(tmp_path: Path, models: list[dict[str, bytes]]) -> ChampionStore:
    store = ChampionStore(tmp_path / "forecast")
    for files in models:
        store.add_version(files)
    store.promote(store.list_versions()[0], ["first"], SINCE)
    return store


@pytest.fixture
def port(store: ChampionStore, tmp_path: Path) -> Iterator[int]:
    server = make_server(("127.0.0.1", 0), ServedModels(tmp_path), max_bytes=20_000)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def ask(port: int, path: str, body: Any = None, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection.request("GET" if body is None else "POST", path, content, headers)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def make_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = make_frame().to_dict(orient="records")
    return rows


def test_forecasts_are_those_of_the_champion_as_json_and_csv(port: int, store: ChampionStore) -> None:
    status, _, body = ask(port, "/health")
    assert status == 200
    assert json.loads(body)["champions"] == {"forecast": store.list_versions()[0], "sentiment": None}
    status, headers, body = ask(port, "/forecast", {"rows": make_rows(), "h": 2, "level": [80]})
    expected = Forecaster.load(store.folder).predict(make_frame(), h=2, level=[80])
    found = json.loads(body)
    assert status == 200
    assert headers["Model-Version"] == found["model_version"] == store.list_versions()[0]
    assert list(found["rows"][0]) == ["unique_id", "ds", "ensemble", "ensemble-lo-80", "ensemble-hi-80"]
    np.testing.assert_allclose([row["ensemble"] for row in found["rows"]], expected["ensemble"])
    content = make_frame().to_csv(index=False).encode()
    status, headers, body = ask(
        port, "/forecast?h=2&level=80,95", content, **{"Content-Type": "text/csv", "Accept": "text/csv"}
    )
    assert status == 200
    assert headers["Content-Type"].startswith("text/csv")
    assert len(body.decode().splitlines()) == 3


def predict_in_console(folder: Path, store: ChampionStore, frame: pd.DataFrame) -> tuple[list[dict[str, Any]], str]:
    """The rows of `rnn-pipelines predict`, and its error."""
    frame.to_csv(folder / "rows.csv", index=False)
    words = ["predict", str(store.folder), str(folder / "rows.csv"), "--json"]
    done = CliRunner().invoke(commands, [*words, "--id", "unique_id"] if "unique_id" in frame else words)
    rows: list[dict[str, Any]] = [] if done.exception else json.loads(done.stdout)
    return rows, str(done.exception)


def make_panel() -> pd.DataFrame:
    return pd.concat([make_frame(seed).assign(unique_id=f"shop {seed}") for seed in (0, 1, 2)], ignore_index=True)


@pytest.mark.parametrize("is_panel", [False, True], ids=["single", "panel"])
def test_few_rows_are_answered_as_by_predict(tmp_path: Path, port: int, store: ChampionStore, is_panel: bool) -> None:
    """A panel is padded from one row on; a series alone needs a lookback, here 14 rows."""
    if is_panel:
        Forecaster(h=3, **SMALL).fit(make_panel()).save(tmp_path / "panel")
        version = store.add_version(load_folder(tmp_path / "panel"))
        store.promote(version, ["a panel"], SINCE)
    for num_rows in (1, 2, 5, 13, 14, 20):
        frame = make_panel().groupby("unique_id").tail(num_rows) if is_panel else make_frame().tail(num_rows)
        expected, error = predict_in_console(tmp_path, store, frame)
        answers = [
            ask(port, "/forecast", {"rows": frame.to_dict(orient="records")}),
            ask(port, "/forecast", frame.to_csv(index=False).encode(), **{"Content-Type": "text/csv"}),
        ]
        for status, _, body in answers:
            found = json.loads(body)
            assert status == (200 if is_panel or num_rows >= 14 else 422)
            if status == 422:
                assert found["error"] == error
                assert f"14 steps or more, received {num_rows}" in found["error"]
            else:
                np.testing.assert_allclose(
                    [row["ensemble"] for row in found["rows"]], [row["ensemble"] for row in expected], rtol=1e-6
                )


def write_csv(**options: Any) -> str:
    return make_frame().to_csv(index=False, float_format="%.2f", **options)


def ask_with_csv(port: int, content: str | bytes, query: str = "") -> tuple[int, Any]:
    body = content if isinstance(content, bytes) else content.encode()
    status, _, answer = ask(port, f"/forecast{query}", body, **{"Content-Type": "text/csv"})
    return status, json.loads(answer)


@pytest.mark.parametrize(
    "content",
    [
        write_csv(sep=";", decimal=","),
        write_csv(sep="\t"),
        write_csv().encode("utf-16"),
        f"Sales of 2024\n\n{write_csv()}",
        f"{write_csv()}Total,4500\n",
        f"{write_csv()}\xa9 the shop,\n".encode("cp1252"),
    ],
    ids=["semicolons", "tabs", "UTF-16", "title", "footer", "cp1252"],
)
def test_csv_is_read_as_a_file_is_read(port: int, content: str | bytes) -> None:
    expected = ask_with_csv(port, write_csv())
    assert expected[0] == 200
    assert ask_with_csv(port, content) == expected


def test_numbers_with_three_decimals_are_no_thousands_between_commas(port: int) -> None:
    content = make_frame().round(0).assign(y=lambda table: table["y"] + 0.125).to_csv(index=False)
    status, answer = ask_with_csv(port, content)
    assert status == 200
    assert 40 < answer["rows"][0]["ensemble"] < 60


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (write_csv().replace("\n", ",\n").replace("y,", "y", 1), "row 1 has more cells than the header has columns"),
        (write_csv().replace("y", "y,y", 1), "more than one column 'y'"),
        (f"{write_csv()}2024-04-01\n", "row 91 has 1 of the 2 cells"),
        (write_csv().replace("ds", "day", 1), "no column ['ds']; its columns are ['day', 'y']"),
        (b"", "No columns to parse from file"),
        (b"PK\3\4", "its first bytes are those of an Excel file"),
    ],
    ids=["surplus cell", "repeated column", "truncated row", "other column", "empty", "Excel"],
)
def test_csv_that_no_file_may_hold_is_refused_in_the_same_words(port: int, content: str | bytes, message: str) -> None:
    status, answer = ask_with_csv(port, content)
    assert status == 422
    assert message in answer["error"]


@pytest.mark.parametrize("query", ["?h=a", "?level=80,x", "?rows=1", "?z=1", f"?h={'9' * 5000}"])
def test_addresses_with_other_options_are_refused(port: int, query: str) -> None:
    assert ask_with_csv(port, write_csv(), query)[0] == 422


@pytest.mark.parametrize("row", [{"y": "\ud800"}, {"ds": "\ud800"}, {"unique_id": "\ud800"}, {"\ud800": 1}])
def test_half_of_a_sign_is_refused(port: int, row: dict[str, Any]) -> None:
    status, _, answer = ask(port, "/forecast", {"rows": [one | row for one in make_rows()]})
    assert status == 422
    assert "UTF-8 can hold, received '\\ud800'" in json.loads(answer)["error"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/forecast", b"{", 422),
        ("/forecast", [], 422),
        ("/forecast", {}, 422),
        ("/forecast", {"rows": []}, 422),
        ("/forecast", {"rows": [{"ds": "2024-01-01"}]}, 422),
        ("/forecast", {"rows": [{"ds": "soon", "y": 1}]}, 422),
        ("/forecast", {"rows": make_rows(), "h": 0}, 422),
        ("/forecast", {"rows": make_rows(), "level": [10]}, 422),
        ("/forecast", {"rows": make_rows(), "levels": [80]}, 422),
        ("/forecast", b" " * 20_001, 413),
        ("/nothing", {}, 404),
        ("/nothing", None, 404),
        ("/sentiment", {"texts": ["good"]}, 503),
    ],
)
def test_wrong_requests_get_the_reason(port: int, path: str, body: Any, expected: int) -> None:
    status, _, answer = ask(port, path, body)
    assert status == expected
    assert json.loads(answer).keys() == {"error"}
    assert ask(port, "/forecast", {"rows": make_rows()})[0] == 200


@pytest.mark.slow
def test_promotions_drop_and_mix_nothing(port: int, store: ChampionStore) -> None:
    """Each answer names a version, and has the forecasts of this version."""
    versions = store.list_versions()
    expected = {
        version: Forecaster.unpack(store.read_version(version)).predict(make_frame())["ensemble"].to_numpy()
        for version in versions
    }
    assert not np.allclose(expected[versions[0]], expected[versions[1]])

    def check(number: int) -> str:
        if number in (40, 80):
            store.promote(versions[1 if number == 40 else 0], ["next"], SINCE)
        status, headers, body = ask(port, "/forecast", {"rows": make_rows()})
        assert status == 200
        forecasts = [row["ensemble"] for row in json.loads(body)["rows"]]
        np.testing.assert_allclose(forecasts, expected[headers["Model-Version"]])
        return headers["Model-Version"]

    with ThreadPoolExecutor(20) as pool:
        counts = Counter(pool.map(check, range(120)))
    assert set(counts) == set(versions)
    assert sum(counts.values()) == 120


def test_a_damaged_new_champion_leaves_the_old_one(store: ChampionStore, tmp_path: Path) -> None:
    models = ServedModels(tmp_path)
    first = models.get("forecast")
    store.promote(store.list_versions()[1], ["next"], SINCE)
    (store.find_folder(store.list_versions()[1]) / "model.npz").write_bytes(b"damaged")
    assert models.get("forecast").version == first.version
