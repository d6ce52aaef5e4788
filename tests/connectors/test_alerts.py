"""The result of a check as metrics that the real node exporter reads, and as one message over HTTP."""

import json
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

from rnn_pipelines.connectors.alerts import (
    METRICS,
    format_metrics,
    post_verdict,
    send_alerts,
    write_metrics,
)
from rnn_pipelines.errors import ChampionError

NOW = datetime(2026, 11, 29, 2, 30, tzinfo=UTC)
SINCE = "2026-11-01T02:00:00+00:00"
CHAMPION = {
    "version": "2026-11-01T02.00.00.000000Z-a1b2c3",
    "since": SINCE,
    "loss": 1.5,
    "as_of": None,
}
FORECAST = {
    "task": "forecast",
    "verdict": "retrain",
    "reasons": ["it forecasts worse"],
    "champion": CHAMPION,
    "monitor": {
        "at": "2026-11-29T02:00:00+00:00",
        "newest_value": "2026-11-28T00:00:00+00:00",
        "newest_forecast": "2026-11-28T02:00:00+00:00",
        "error": {"ratio": 1.75, "p_value": 0.01},
        "intervals": [{"level": 80, "coverage": 0.5}, {"level": 95, "coverage": None}],
        "drifted_fraction": 0.25,
    },
}
SENTIMENT = {
    "task": "sentiment",
    "verdict": "ok",
    "reasons": [],
    "champion": None,
    "monitor": {
        "at": SINCE,
        "num_texts": 300,
        "measures": [{"measure": 'long "words"\\\n', "effect": 0.125}],
    },
}


def find(text: str, name: str) -> dict[str, float]:
    """The samples of a metric, by their labels as they are written."""
    rows = re.findall(rf"^rnn_pipelines_{name}{{(.*)}} (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in rows}


@pytest.fixture(scope="module")
def forecast_metrics() -> str:
    return format_metrics(FORECAST, NOW)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("check", NOW.isoformat()),
        ("champion_since", SINCE),
        ("monitor", "2026-11-29T02:00:00+00:00"),
        ("newest_value", "2026-11-28T00:00:00+00:00"),
        ("newest_forecast", "2026-11-28T02:00:00+00:00"),
    ],
)
def test_times_of_a_forecast_are_metrics(forecast_metrics: str, name: str, moment: str) -> None:
    expected = {'task="forecast"': datetime.fromisoformat(moment).timestamp()}
    assert find(forecast_metrics, f"{name}_timestamp_seconds") == expected


@pytest.mark.parametrize(("name", "ratio"), [("error_ratio", 1.75), ("drift_ratio", 0.25)])
def test_ratios_of_a_forecast_are_metrics(forecast_metrics: str, name: str, ratio: float) -> None:
    assert find(forecast_metrics, name) == {'task="forecast"': ratio}


def test_the_version_of_the_champion_is_a_label(forecast_metrics: str) -> None:
    labels = f'task="forecast",version="{CHAMPION["version"]}"'
    assert find(forecast_metrics, "champion_info") == {labels: 1}


def test_one_of_four_verdicts_is_1(forecast_metrics: str) -> None:
    states = find(forecast_metrics, "verdict")
    assert len(states) == 4
    assert [labels for labels, value in states.items() if value] == [
        'task="forecast",verdict="retrain"'
    ]


def test_unknown_coverage_is_left_out(forecast_metrics: str) -> None:
    assert find(forecast_metrics, "coverage_ratio") == {'task="forecast",level="80"': 0.5}


def test_measures_of_texts_are_left_out_of_a_forecast(forecast_metrics: str) -> None:
    assert "drift_effect" not in forecast_metrics


def test_labels_are_escaped() -> None:
    assert list(find(format_metrics(SENTIMENT, NOW), "drift_effect")) == [
        'task="sentiment",measure="long \\"words\\"\\\\\\n"'
    ]


@pytest.mark.parametrize(
    "monitor",
    [
        None,
        {"at": "never"},
        {"at": 5},
        {"error": [1]},
        {"intervals": [{}]},
        {"drifted_fraction": "x"},
        {"drifted_fraction": 10**400},
    ],
)
def test_damaged_monitor_leaves_the_verdict(monitor: Any) -> None:
    text = format_metrics({**FORECAST, "verdict": "alarm", "monitor": monitor}, NOW)
    assert find(text, "verdict")['task="forecast",verdict="alarm"'] == 1
    assert find(text, "error_ratio") == {}


def test_metrics_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "forecast.prom"
    for found in (FORECAST, {**FORECAST, "verdict": "ok"}):
        write_metrics(path, found)
        assert (
            find(path.read_text(), "verdict")[f'task="forecast",verdict="{found["verdict"]}"'] == 1
        )
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["my notes", "", "# HELP node_load1 1m load average.\n"])
def test_file_of_another_program_is_not_overwritten(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(ChampionError, match=r"notes\.txt"):
        write_metrics(path, FORECAST)
    assert path.read_text() == content


def test_link_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "link.prom").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ChampionError):
        write_metrics(tmp_path / "link.prom", FORECAST)


@pytest.fixture
def exporter(tmp_path: Path, node_exporter: str) -> Iterator[SimpleNamespace]:
    """One that reads the files of a folder; `scrape` returns its page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    flags = [
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--web.listen-address={address}",
    ]
    command = [node_exporter, *flags, f"--collector.textfile.directory={tmp_path}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def scrape() -> str:
        for _ in range(200):
            with (
                suppress(OSError),
                urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as page,
            ):
                return page.read().decode()
            time.sleep(0.05)
        raise AssertionError(f"no page of the exporter, whose exit code is {process.poll()}")

    yield SimpleNamespace(scrape=scrape)
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def scraped(tmp_path: Path, exporter: SimpleNamespace) -> str:
    """The page of an exporter that reads the metrics of both tasks."""
    for verdict in (FORECAST, SENTIMENT):
        write_metrics(tmp_path / f"{verdict['task']}.prom", verdict)
    return exporter.scrape()


@pytest.mark.node_exporter
def test_node_exporter_reads_the_metrics_of_both_tasks(scraped: str) -> None:
    assert "node_textfile_scrape_error 0" in scraped
    assert sorted(find(scraped, "verdict").values()) == [0] * 6 + [1, 1]


@pytest.mark.node_exporter
def test_node_exporter_sorts_labels(scraped: str) -> None:
    assert find(scraped, "coverage_ratio") == {'level="80",task="forecast"': 0.5}


@pytest.mark.node_exporter
def test_node_exporter_reads_what_is_escaped(scraped: str) -> None:
    assert find(scraped, "drift_effect") == {
        'measure="long \\"words\\"\\\\\\n",task="sentiment"': 0.125
    }


@pytest.mark.node_exporter
def test_node_exporter_shows_every_sample_that_was_written(tmp_path: Path, scraped: str) -> None:
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    for name in METRICS:
        assert len(find(scraped, name)) == len(find(written, name)) > 0


@pytest.mark.node_exporter
def test_node_exporter_shows_the_description_of_every_metric(scraped: str) -> None:
    for name, text in METRICS.items():
        description = f"# HELP rnn_pipelines_{name} {text}\n# TYPE rnn_pipelines_{name} gauge"
        assert description in scraped


@pytest.fixture
def server() -> Iterator[SimpleNamespace]:
    """A server that keeps what it receives, and answers with `code`."""
    received: list[tuple[str, str, Any]] = []
    state = SimpleNamespace(received=received, code=204, words=None)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, self.headers["Content-Type"], json.loads(content)))
            self.send_response(state.code, state.words)
            self.send_header("Location", "/other")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.url = f"http://127.0.0.1:{listening.server_port}/hook/secret"
        Thread(target=listening.serve_forever, daemon=True).start()
        yield state
        listening.shutdown()


def test_verdict_is_posted_once_as_json(server: SimpleNamespace) -> None:
    assert post_verdict(server.url, FORECAST) is None
    assert server.received == [("/hook/secret", "application/json", FORECAST)]


@pytest.mark.parametrize("code", [302, 404, 500])
def test_an_answer_that_is_no_success_is_a_problem_with_its_code(
    server: SimpleNamespace, code: int
) -> None:
    server.code = code
    problem = post_verdict(server.url, FORECAST)
    assert str(code) in problem
    assert "127.0.0.1" in problem


@pytest.mark.parametrize("code", [302, 404, 500])
def test_the_path_of_an_address_is_secret(server: SimpleNamespace, code: int) -> None:
    server.code = code
    problem = post_verdict(server.url, FORECAST)
    assert "secret" not in problem


@pytest.mark.parametrize("code", [302, 404, 500])
def test_a_message_that_failed_is_sent_once(server: SimpleNamespace, code: int) -> None:
    server.code = code
    post_verdict(server.url, FORECAST)
    assert len(server.received) == 1


def test_silent_server_is_left_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_pipelines.connectors.posting.TIMEOUT_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert "timed out" in post_verdict(
            f"http://127.0.0.1:{silent.getsockname()[1]}/secret", FORECAST
        )


def answer_slowly(listening: socket.socket) -> None:
    """Answer one request with a byte each tenth of a second."""
    connection, _ = listening.accept()
    with connection, suppress(OSError):
        for _ in range(100):
            connection.sendall(b"H")
            time.sleep(0.1)


def test_server_that_answers_byte_by_byte_is_left_after_the_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rnn_pipelines.connectors.posting.TIMEOUT_SECONDS", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as slow:
        Thread(target=answer_slowly, args=[slow], daemon=True).start()
        started = time.monotonic()
        assert "timed out" in post_verdict(
            f"http://127.0.0.1:{slow.getsockname()[1]}/secret", FORECAST
        )
        assert time.monotonic() - started < 2


def test_words_of_the_server_are_not_told(server: SimpleNamespace) -> None:
    """They could hold the address, which it knows."""
    server.code = 500
    server.words = "no secret"
    assert "secret" not in post_verdict(server.url, FORECAST)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/secret",
        "http://127.0.0.1:99999/secret",
        "http://a b/secret",
        "http://[::1/secret",
        "http://u:secret@127.0.0.1:1/",
        "http://127.0.0.1:1/hook secret/x",
    ],
)
def test_address_that_cannot_be_reached_is_told(url: str) -> None:
    assert "secret" not in post_verdict(url, FORECAST)


@pytest.mark.parametrize("content", ["my notes", None])
def test_metrics_that_cannot_be_written_are_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    """A full disk or a file of another program must not hide an alarm."""
    path = tmp_path / "missing/forecast.prom" if content is None else tmp_path / "notes.txt"
    if content is not None:
        path.write_text(content)
    send_alerts(FORECAST, path, None)
    out, err = capsys.readouterr()
    assert (out, err.startswith("Warning: the metrics could not be written (")) == ("", True)
    assert path.name in err
    assert content is None or path.read_text() == content


def test_a_failed_message_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    send_alerts(FORECAST, tmp_path / "forecast.prom", "http://127.0.0.1:1/secret")
    out, err = capsys.readouterr()
    assert (out, err.startswith("Warning: 127.0.0.1: ")) == ("", True)


def test_metrics_are_written_despite_a_failed_message(tmp_path: Path) -> None:
    send_alerts(FORECAST, tmp_path / "forecast.prom", "http://127.0.0.1:1/secret")
    assert (tmp_path / "forecast.prom").exists()
