"""Serving over HTTP on loopback."""

import json
import socket
import struct
import threading
import time
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
from rnn_pipelines.console import serve as module
from rnn_pipelines.console.main import commands
from rnn_pipelines.console.models import ServedModels
from rnn_pipelines.console.tasks import RequestLimits
from rnn_pipelines.errors import ChampionError
from served_champions import serve

SINCE = "2024-01-01T00:00:00+00:00"


SMALL: dict[str, Any] = {
    "training": {"max_steps": 25},
    "lstm": {"members": 1},
    "gru": {"members": 1},
    "lookback": 14,
}


def make_frame(seed: int = 0) -> pd.DataFrame:
    values = (
        50 + np.sin(np.arange(90) * 2 * np.pi / 7) + np.random.default_rng(seed).normal(0, 0.5, 90)
    )
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=90).astype(str), "y": values})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """The files of two forecasters, whose forecasts of the same rows differ."""
    folder = tmp_path_factory.mktemp("models")
    found = []
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
    with serve(tmp_path, RequestLimits(max_bytes=20_000, max_steps=100)) as port:
        yield port


def ask(
    port: int, path: str, body: Any = None, **headers: str
) -> tuple[int, Mapping[str, str], bytes]:
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


def test_health_names_the_champions(port: int, store: ChampionStore) -> None:
    status, _, body = ask(port, "/health")
    assert status == 200
    champions = {"forecast": store.list_versions()[0], "sentiment": None}
    assert json.loads(body)["champions"] == champions


QUESTION = {"h": 2, "level": [80]}


def test_an_answer_names_the_champion(port: int, store: ChampionStore) -> None:
    status, headers, body = ask(port, "/forecast", {"rows": make_rows(), **QUESTION})
    assert status == 200
    assert headers["Model-Version"] == store.list_versions()[0]
    assert json.loads(body)["model_version"] == store.list_versions()[0]


def test_rows_of_an_answer_have_the_bounds(port: int) -> None:
    _, _, body = ask(port, "/forecast", {"rows": make_rows(), **QUESTION})
    columns = ["unique_id", "ds", "ensemble", "ensemble-lo-80", "ensemble-hi-80"]
    assert list(json.loads(body)["rows"][0]) == columns


def test_forecasts_are_those_of_the_champion(port: int, store: ChampionStore) -> None:
    _, _, body = ask(port, "/forecast", {"rows": make_rows(), **QUESTION})
    served = [row["ensemble"] for row in json.loads(body)["rows"]]
    expected = Forecaster.load(store.folder).predict(make_frame(), h=2, level=[80])
    np.testing.assert_allclose(served, expected["ensemble"])


@pytest.mark.parametrize("kind", ["application/json", "text/csv"])
def test_an_answer_has_the_columns_of_the_request(tmp_path: Path, kind: str) -> None:
    frame = make_frame().set_axis(["day", "sales"], axis=1)
    Forecaster(h=3, **SMALL).fit(frame).save(tmp_path / "model")
    store = ChampionStore(tmp_path / "forecast")
    store.add_version(load_folder(tmp_path / "model"))
    store.promote(store.list_versions()[0], ["first"], SINCE)
    body: Any = {"rows": frame.to_dict(orient="records")}
    if kind == "text/csv":
        body = frame.to_csv(index=False).encode()
    with serve(tmp_path) as port:
        _, _, answer = ask(port, "/forecast", body, **{"Content-Type": kind})
    expected = ["day", "forecast", "lo-80", "hi-80", "lo-95", "hi-95"]
    assert list(json.loads(answer)["rows"][0]) == expected


def test_forecasts_are_served_as_csv(port: int) -> None:
    content = make_frame().to_csv(index=False).encode()
    types = {"Content-Type": "text/csv", "Accept": "text/csv"}
    status, headers, body = ask(port, "/forecast?h=2&level=80,95", content, **types)
    assert status == 200
    assert headers["Content-Type"].startswith("text/csv")
    assert len(body.decode().splitlines()) == 3


def predict_in_console(
    folder: Path, store: ChampionStore, frame: pd.DataFrame
) -> tuple[list[dict[str, Any]], str]:
    """The rows of `rnn-pipelines predict`, and its error."""
    frame.to_csv(folder / "rows.csv", index=False)
    words = ["predict", str(store.folder), str(folder / "rows.csv"), "--json"]
    done = CliRunner().invoke(
        commands, [*words, "--id", "unique_id"] if "unique_id" in frame else words
    )
    rows: list[dict[str, Any]] = [] if done.exception else json.loads(done.stdout)
    return rows, str(done.exception)


def make_panel() -> pd.DataFrame:
    return pd.concat(
        [make_frame(seed).assign(unique_id=f"shop {seed}") for seed in (0, 1, 2)], ignore_index=True
    )


@pytest.mark.parametrize("is_panel", [False, True], ids=["single", "panel"])
def test_few_rows_are_answered_as_by_predict(
    tmp_path: Path, port: int, store: ChampionStore, is_panel: bool
) -> None:
    """A panel is padded from one row on; a series alone needs a lookback, here 14 rows."""
    if is_panel:
        Forecaster(h=3, **SMALL).fit(make_panel()).save(tmp_path / "panel")
        version = store.add_version(load_folder(tmp_path / "panel"))
        store.promote(version, ["a panel"], SINCE)
    for num_rows in (1, 2, 5, 13, 14, 20):
        frame = (
            make_panel().groupby("unique_id").tail(num_rows)
            if is_panel
            else make_frame().tail(num_rows)
        )
        expected, error = predict_in_console(tmp_path, store, frame)
        answers = [
            ask(port, "/forecast", {"rows": frame.to_dict(orient="records")}),
            ask(
                port,
                "/forecast",
                frame.to_csv(index=False).encode(),
                **{"Content-Type": "text/csv"},
            ),
        ]
        for status, _, body in answers:
            found = json.loads(body)
            assert status == (200 if is_panel or num_rows >= 14 else 422)
            if status == 422:
                assert found["error"] == error.replace(f"{tmp_path / 'rows.csv'}:", "the frame:")
                assert f"14 steps or more, received {num_rows}" in found["error"]
            else:
                np.testing.assert_allclose(
                    [row["ensemble"] for row in found["rows"]],
                    [row["ensemble"] for row in expected],
                    rtol=1e-6,
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
        (
            write_csv().replace("\n", ",\n").replace("y,", "y", 1),
            "row 2 has more cells than the header has columns",
        ),
        (write_csv().replace("y", "y,y", 1), "more than one column 'y'"),
        (f"{write_csv()}2024-04-01\n", "row 92 has 1 of the 2 cells"),
        (write_csv().replace("ds", "day", 1), "no column ['ds']; its columns are ['day', 'y']"),
        (b"", "No columns to parse from file"),
        (b"PK\3\4", "its first bytes are those of an Excel file"),
    ],
    ids=["surplus cell", "repeated column", "truncated row", "other column", "empty", "Excel"],
)
def test_csv_that_no_file_may_hold_is_refused_in_the_same_words(
    port: int, content: str | bytes, message: str
) -> None:
    status, answer = ask_with_csv(port, content)
    assert status == 422
    assert message in answer["error"]


@pytest.mark.parametrize("query", ["?h=a", "?level=80,x", "?rows=1", "?z=1", f"?h={'9' * 5000}"])
def test_addresses_with_other_options_are_refused(port: int, query: str) -> None:
    assert ask_with_csv(port, write_csv(), query)[0] == 422


@pytest.mark.parametrize("query", ["?h=", "?h=2&h=3", "?h=2&level=80"])
def test_options_are_refused_if_one_is_empty_or_repeated(port: int, query: str) -> None:
    body = {"rows": make_rows(), "level": [80]}
    assert ask(port, f"/forecast{query}", body)[0] == 422


def test_options_of_the_address_count_with_a_body_of_json(port: int) -> None:
    status, _, answer = ask(port, "/forecast?h=2", {"rows": make_rows()})
    assert status == 200
    assert len(json.loads(answer)["rows"]) == 2


def test_more_steps_than_the_limit_are_refused(port: int) -> None:
    status, answer = ask_with_csv(port, write_csv(), "?h=101")
    assert status == 422
    assert "at most 100 steps" in answer["error"]


def test_too_many_steps_are_refused_at_once(port: int) -> None:
    """7,000 steps of this model take half a minute."""
    started = time.monotonic()
    _status, _answer = ask_with_csv(port, write_csv(), "?h=101")
    assert time.monotonic() - started < 2


def test_as_many_steps_as_the_limit_are_forecast(port: int) -> None:
    assert ask_with_csv(port, write_csv(), "?h=100")[0] == 200


def test_limits_of_the_command_refuse_a_typing_error_in_h(
    tmp_path: Path, store: ChampionStore
) -> None:
    with serve(tmp_path) as port:
        assert ask(port, "/forecast", {"rows": make_rows(), "h": 1_001})[0] == 422


def test_trained_horizon_is_answered_below_any_limit_of_steps(
    tmp_path: Path, store: ChampionStore
) -> None:
    with serve(tmp_path, RequestLimits(max_steps=1)) as port:
        assert ask(port, "/forecast", {"rows": make_rows()})[0] == 200


def test_series_times_steps_have_a_limit(tmp_path: Path, store: ChampionStore) -> None:
    panel = make_panel().to_dict(orient="records")
    with serve(tmp_path, RequestLimits(max_rows=8)) as port:
        status, _, answer = ask(port, "/forecast", {"rows": panel})
        assert status == 422
        assert "3 series with 3 steps each" in json.loads(answer)["error"]


def test_forecast_that_takes_too_long_ends_at_the_limit(
    tmp_path: Path, store: ChampionStore
) -> None:
    with serve(tmp_path, RequestLimits(max_seconds=0.1)) as port:
        status, _, answer = ask(port, "/forecast", {"rows": make_rows(), "h": 1000})
        assert status == 503
        assert "more than 0.1 seconds" in json.loads(answer)["error"]


def test_request_that_no_worker_takes_in_time_is_refused(
    tmp_path: Path, store: ChampionStore
) -> None:
    release = threading.Event()

    def wait(task: str) -> Any:
        release.wait(30)
        raise ChampionError(task)

    limits = RequestLimits(max_seconds=0.2)
    with serve(tmp_path, limits, workers=1) as port, ThreadPoolExecutor(1) as pool:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ServedModels, "get", lambda _, task: wait(task))
            first = pool.submit(ask, port, "/forecast", {"rows": make_rows()})
            time.sleep(0.1)
            status, _, answer = ask(port, "/forecast", {"rows": make_rows()})
            release.set()
        assert first.result()[0] == 503
        assert status == 503
        assert "workers were busy" in json.loads(answer)["error"]


def send(port: int, content: bytes) -> bytes:
    """Send bytes, close the sending side, and return all that the server answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"PUT /forecast HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 501),
        (b"GET /forecast HTTP/1.1\r\n\r\n", 405),
        (b"POST /health HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
        (b"GET //[ HTTP/1.1\r\n\r\n", 404),
        (b"\x00\x1b[31m /health HTTP/1.1\r\n\r\n", 501),
        (b"POST /forecast HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (b"POST /forecast HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 411),
        (
            b"POST /forecast HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            411,
        ),
        (b"POST /forecast HTTP/1.1\r\nContent-Length: 50\r\n\r\n{}", 400),
    ],
)
def test_requests_that_are_not_of_http_get_the_reason(
    port: int, request_: bytes, status: int
) -> None:
    head, _, body = send(port, request_).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert json.loads(body).keys() == {"error"}


def test_part_of_a_table_is_not_forecast(port: int) -> None:
    """Its first rows alone would be forecast at the wrong time."""
    content = write_csv().encode()
    head = f"POST /forecast HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: {len(content)}\r\n\r\n"
    assert send(port, head.encode() + content[: content.rindex(b"2024-03-2")]).split()[1] == b"400"


def test_head_of_health_has_no_body(port: int) -> None:
    answer = send(port, b"HEAD /health HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.split()[1] == b"200"
    assert answer.endswith(b"\r\n\r\n")


def test_slow_client_is_told_so(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"POST /forecast HTTP/1.1\r\nContent-Length: 50\r\n\r\n")
        for _ in range(4):
            connection.sendall(b" ")
            time.sleep(0.1)
        assert connection.recv(65_536).split()[1] == b"408"


def test_closed_connection_is_one_line_of_the_log(
    port: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO")
    content = json.dumps({"rows": make_rows()}).encode()
    head = f"POST /forecast HTTP/1.1\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    for sent in (head, head + content):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            # With this, closing resets the connection.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(sent)
            time.sleep(0.1)
    assert ask(port, "/health")[0] == 200
    end = time.monotonic() + 10
    while caplog.text.count("closed the connection") < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert caplog.text.count("closed the connection") == 2
    assert "Traceback" not in caplog.text + capfd.readouterr().err


@pytest.mark.parametrize(
    "row", [{"y": "\ud800"}, {"ds": "\ud800"}, {"unique_id": "\ud800"}, {"\ud800": 1}]
)
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
        ("/forecast", {"rows": make_rows(), "level": [100]}, 422),
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
def test_every_answer_during_promotions_is_that_of_its_version(
    port: int, store: ChampionStore
) -> None:
    """Each answer names a version, and has the forecasts of this version."""
    versions = store.list_versions()
    expected = {
        version: Forecaster.unpack(store.read_version(version))
        .predict(make_frame())["ensemble"]
        .to_numpy()
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
