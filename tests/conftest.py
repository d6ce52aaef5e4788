"""What all tests share: which of them are collected, quiet tools, and series made on the spot."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace

# Before anything imports TensorFlow, Kedro or MLflow.
os.environ["DO_NOT_TRACK"] = "1"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from fitted import combine, combine_model
from rnn_pipelines.forecast.intervals.fitting import fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.network import Network, size_members
from rnn_pipelines.forecast.methods.training.specs import NetworkSpec
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.settings import describe_forecaster
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.networks.keras_start import quicken_start
from rnn_pipelines.networks.members import initialize_members
from rnn_pipelines.networks.memory import keep_freed_memory
from rnn_pipelines.report.failures import pop_failures
from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec, fit_ngram_classifier
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact
from rnn_pipelines.sentiment.text.encoding import EncodedTexts, PaddingSpec, encode_texts
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec, choose_words

# As in a run of Kedro.
quicken_start()
keep_freed_memory()

# Hypothesis draws constants of the modules that are loaded, so that a test alone would have other examples.
providers._get_local_constants = Constants

DATA = Path(os.environ["RNN_DATA"]) if os.environ.get("RNN_DATA") else None
HAS_DATA = DATA is not None and DATA.is_dir()
ALL_SLOW = re.compile(r"^pytestmark = .*pytest\.mark\.slow\b", re.MULTILINE)
HAS_SYSTEMD = shutil.which("systemd-analyze") is not None
HAS_CHROMIUM = shutil.which("chromium") is not None
HAS_AIRFLOW = (Path(__file__).parents[1] / ".airflow/installed").exists()
HAS_DAGSTER = (Path(__file__).parents[1] / ".dagster/bin/dagster").exists()


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's own programs: Debian keeps it off the path; the newest version is the last."""
    found = [Path(path) for path in [shutil.which("initdb")] if path]
    found += sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    return found[-1].parent if found else None


POSTGRES = find_postgres()
NODE_EXPORTER = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")


def pytest_configure(config: pytest.Config) -> None:
    """The same examples each time unless a seed is given; what our own code calls must not be on its way out."""
    is_same = config.getoption("hypothesis_seed") is None
    # No folder of examples in the project.
    settings.register_profile(
        "project", deadline=None, derandomize=is_same, database=None, max_examples=60
    )
    settings.load_profile("project")
    for category in ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning"):
        config.addinivalue_line("filterwarnings", f"error::{category}:rnn_pipelines")


def wants_slow(config: pytest.Config) -> bool:
    """Whether the command asks for the slow tests, as `pytest -m slow` and `pytest -m "slow or not slow"` do."""
    return "slow" in config.option.markexpr.replace("not slow", "")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves files alone whose tests are all slow, unless they are asked for: some load packages for seconds."""
    if collection_path.suffix != ".py" or wants_slow(config):
        return None
    return True if ALL_SLOW.search(collection_path.read_text()) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that can't run here, or weren't asked for."""
    left_out = {
        item
        for item in items
        if (item.get_closest_marker("real_data") and not HAS_DATA)
        or (item.get_closest_marker("postgres") and POSTGRES is None)
        or (item.get_closest_marker("node_exporter") and NODE_EXPORTER is None)
        or (item.get_closest_marker("systemd") and not HAS_SYSTEMD)
        or (item.get_closest_marker("chromium") and not HAS_CHROMIUM)
        or (item.get_closest_marker("airflow") and not HAS_AIRFLOW)
        or (item.get_closest_marker("dagster") and not HAS_DAGSTER)
        or (item.get_closest_marker("slow") and not wants_slow(config))
    }
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


# Whole runs with a data root of their own.
APART = {
    f"test_run_{name}.py"
    for name in ("covariates", "documents", "failures", "hostile", "lineage", "night")
}


class Scheduling(LoadScopeScheduling):
    """Tests that stay in one process: those of a file, and all whole runs that share a data root.

    A mark would say it too (`xdist_group`), but pytest-xdist 3.8 does not find it under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0])
        return "whole runs" if file.parent.name == "tests" and file.name not in APART else str(file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Called by `pytest -n`."""
    return Scheduling(config, log)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Says which tests are not collected, and why."""
    if not HAS_DATA:
        terminalreporter.write_line(
            "Tests of real data are not collected: RNN_DATA names no folder."
        )
    if not HAS_SYSTEMD:
        terminalreporter.write_line(
            "Tests of systemd are not collected: there is no systemd-analyze on this machine."
        )
    if not HAS_CHROMIUM:
        terminalreporter.write_line(
            "Tests of pages in a browser are not collected: there is no chromium here."
        )
    if NODE_EXPORTER is None:
        terminalreporter.write_line(
            "Tests of Prometheus are not collected: there is no node_exporter on this machine."
        )
    if wants_slow(config) and POSTGRES is None:
        terminalreporter.write_line(
            "Tests of PostgreSQL are not collected: there is no initdb on this machine."
        )
    if wants_slow(config) and not HAS_AIRFLOW:
        terminalreporter.write_line(
            "Tests that run Airflow are not collected: make airflow installs it."
        )
    if wants_slow(config) and not HAS_DAGSTER:
        terminalreporter.write_line(
            "Tests that run Dagster are not collected: there is no .dagster/bin/dagster."
        )
    if not wants_slow(config):
        terminalreporter.write_line("Slow tests are not collected: run them with pytest -m slow.")


@pytest.fixture(autouse=True)
def _no_failed_part() -> Iterator[None]:
    """Fails a test in which a part of a report failed unseen, because a note took its place."""
    pop_failures()
    yield
    assert pop_failures() == []


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the project."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; for tests marked `real_data`."""
    assert DATA is not None
    return DATA


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """The folder of PostgreSQL's own programs; for tests marked `postgres`."""
    assert POSTGRES is not None
    return POSTGRES


@pytest.fixture(scope="session")
def node_exporter() -> str:
    """The program of Prometheus that reads files of metrics; for tests marked `node_exporter`."""
    assert NODE_EXPORTER is not None
    return NODE_EXPORTER


@pytest.fixture(scope="module")
def no_graphs() -> Iterator[None]:
    """Step by step instead of as TensorFlow's graphs: networks this small are trained before one would be traced.

    For tests whose facts don't depend on it; whole runs, and all others, train as users do.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Writes a file into an empty folder and returns its path."""

    def write_file(content: str | bytes, name: str = "my.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write_file


@pytest.fixture(scope="session")
def make_table() -> Callable[..., pd.DataFrame]:
    """Makes a table as `read_source` returns it; a value that is None has no row, one that is NaN an empty cell."""

    def make(
        values: Sequence[float | None] | Mapping[str, Sequence[float | None]],
        freq: str | int = "D",
        start: str | int = "2021-01-01",
    ) -> pd.DataFrame:
        by_series = values if isinstance(values, Mapping) else {"y": values}
        tables = []
        for name, column in by_series.items():
            size = len(column)
            ds = (
                int(start) + freq * np.arange(size)
                if isinstance(freq, int)
                else pd.date_range(start, periods=size, freq=freq)
            )
            table = pd.DataFrame(
                {"unique_id": name, "ds": ds, "y": np.array(column, dtype="float64")}
            )
            tables.append(table[[value is not None for value in column]])
        table = pd.concat(tables, ignore_index=True)
        return table.set_index(pd.RangeIndex(1, len(table) + 1, name="row"))

    return make


@pytest.fixture(scope="session")
def prepare(make_table: Callable[..., pd.DataFrame]) -> Callable[..., SimpleNamespace]:
    """Takes values all the way to windows: all that a `Panel` has, and the `table` as it was read."""

    def prepare_values(  # noqa: PLR0917 - one for each block of parameters
        values: Sequence[float | None] | Mapping[str, Sequence[float | None]],
        window: WindowSpec | None = None,
        split: SplitSpec | None = None,
        gaps: str = "interpolate",
        breaks: str = "auto",
        evaluation: EvaluationSpec | None = None,
        calendar: CalendarSpec | None = None,
        **options: str | int,
    ) -> SimpleNamespace:
        of_source = {name: value for name, value in options.items() if name != "start"}
        recipe = Recipe(
            source=SourceSpec(name="catalog", **{"freq": "D", **of_source}),
            gaps=GapPolicy(gaps),
            breaks=BreakPolicy(breaks),
            split=split or SplitSpec(validation=10, test=10),
            window=window or WindowSpec(lookback=4, horizon=2),
            calendar=calendar or CalendarSpec(),
            evaluation=evaluation or EvaluationSpec(),
        )
        table = make_table(
            values, **{name: options[name] for name in ("freq", "start") if name in options}
        )
        return SimpleNamespace(**vars(prepare_panel(table, recipe)), table=table)

    return prepare_values


@pytest.fixture(scope="session")
def make_values() -> Callable[..., list[float | None]]:
    """Makes a repeatable random walk; the given positions have no value."""

    def make(size: int, seed: int = 0, missing: Sequence[int] = ()) -> list[float | None]:
        walk = 20 + np.random.default_rng(seed).normal(size=size).cumsum()
        return [None if step in missing else float(value) for step, value in enumerate(walk)]

    return make


# A stack, and one layer.
UNITS: dict[str, int | tuple[int, ...]] = {"lstm": (3, 2), "gru": 3}


@pytest.fixture(scope="session")
def make_forecaster() -> Callable[..., Forecaster]:
    """Makes a forecaster of `prepare`'s values: half the baseline ensemble, half networks of random weights.

    With intervals where levels of them are given.
    """

    def make(
        prepared: SimpleNamespace,
        *cells: str,
        window: WindowSpec | None = None,
        gaps: str = "interpolate",
        level: tuple[int, ...] | None = None,
    ) -> Forecaster:
        panel = prepared.windows
        window = window or WindowSpec(lookback=panel.lookback, horizon=panel.horizon)
        linear = fit_linear_models(panel)
        embedding = 0 if len(panel.series_starts) == 1 else 3
        networks = {}
        for number, cell in enumerate(cells or ("gru",)):
            weights = initialize_members(
                number, 2, size_members(panel, cell, UNITS[cell], embedding, 1, ())
            )
            head = np.random.default_rng(number).normal(size=weights["head_kernel"].shape)
            weights["head_kernel"] = head.astype(np.float32)
            unseen = np.zeros((len(linear.validation), panel.horizon), np.float32)
            networks[cell] = Network(weights, cell, 1, np.zeros(0, np.int64), 0.5, unseen)
        shares = {"baseline_ensemble": 0.5} | dict.fromkeys(networks, 0.5 / len(networks))
        settings = describe_forecaster(
            prepared.series,
            prepared.profile,
            prepared.cutoffs,
            prepared.windows,
            CalendarSpec(),
            GapPolicy(gaps),
            BreakPolicy("keep"),
        )
        asked = {cell: NetworkSpec(cell=cell).model_dump(mode="json") for cell in networks}
        model = combine_model(panel, linear, networks, shares)
        intervals = None
        if level is not None:
            own = {"y_hat": combine(panel, linear, networks, shares)}
            intervals = fit_intervals(FittingData(panel, linear), own, LevelSpec(level))
        return Forecaster(
            model, prepared.scaler, settings.model_copy(update={"networks": asked}), intervals
        )

    return make


@pytest.fixture(scope="session")
def make_encoded() -> Callable[..., EncodedTexts]:
    """Makes encoded texts from the numbers of their words."""

    def make(texts: Sequence[Sequence[int]]) -> EncodedTexts:
        ids = np.array([word for text in texts for word in text], np.int32)
        return EncodedTexts(ids, np.cumsum([0, *map(len, texts)]))

    return make


@pytest.fixture(scope="session")
def make_reviews() -> Callable[..., pd.DataFrame]:
    """Makes reviews whose words tell their label: `review_id, part, group, rating, label, text`.

    Two reviews of each film, four of six of them in the training part. The classes are in order, and two or three.
    """

    def make(
        num_reviews: int = 96, seed: int = 0, classes: Sequence[str] = ("negative", "positive")
    ) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        telling = (
            ["bad", "awful", "dull"],
            ["good", "great", "fine"],
            ["long", "short", "loud"],
        )
        # Shifted after each six films, so that every part has every class.
        labels = (np.arange(num_reviews) + np.arange(num_reviews) // 12) % len(classes)
        texts = [
            random.permutation(
                [
                    *random.choice(["a", "the", "film", "was", "so", "it"], random.integers(1, 8)),
                    *random.choice(telling[label], 2),
                ]
            )
            for label in labels
        ]
        film = np.arange(num_reviews) // 2
        part = np.array(["train", "train", "validation", "train", "test", "train"])[film % 6]
        return pd.DataFrame(
            {
                "review_id": [f"r{number}" for number in range(num_reviews)],
                "part": part,
                "group": [f"film {number}" for number in film],
                "rating": pd.array(3 + 3 * labels, "Int8"),
                "label": pd.Categorical.from_codes(labels, list(classes)),
                "text": [" ".join(words) for words in texts],
            }
        )

    return make


@pytest.fixture(scope="session")
def text_classifier(make_reviews: Callable[..., pd.DataFrame]) -> ClassifierArtefact:
    """A classifier of two networks that were never trained, and an n-gram classifier that was; loads Keras."""
    import keras

    from rnn_pipelines.sentiment.methods.network import build_classifier

    reviews = make_reviews()
    vocabulary = choose_words(reviews["text"], VocabularySpec(min_count=1))
    encoded = encode_texts(reviews["text"], vocabulary)
    labels = reviews["label"].cat.codes.to_numpy(int)
    ngrams = fit_ngram_classifier(encoded, labels, 2, NgramSpec(order=2))
    vectors = np.random.default_rng(0).normal(size=(len(vocabulary), 3)).astype(np.float32)
    keras.utils.set_random_seed(0)
    specs = [
        ClassifierSpec(cell="lstm", units=2),
        ClassifierSpec(cell="gru", units=3, ngram_inputs=False),
    ]
    networks = {spec.cell: build_classifier(spec, vectors, ngrams.order) for spec in specs}
    calibration = {"weights": {"lstm": 1.5, "gru": -0.5, "nb_ngram": 0.75}, "intercept": [0.25]}
    return ClassifierArtefact(networks, ngrams, vocabulary, PaddingSpec(max_length=20), calibration)


class InterruptionError(Exception):
    """In the middle of an epoch."""


@pytest.fixture
def break_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], AbstractContextManager[None]]:
    """Breaks a training off when an epoch (from 0) has begun."""
    from rnn_pipelines.networks.callbacks import Clock

    @contextmanager
    def break_off_in(epoch: int) -> Iterator[None]:
        def begin_batch(clock: Clock, batch: int, logs: object = None) -> None:
            if len(clock.rows) == epoch:
                raise InterruptionError
            clock._call_started = 0.0

        with monkeypatch.context() as patch:
            patch.setattr(Clock, "on_train_batch_begin", begin_batch)
            with pytest.raises(InterruptionError):
                yield

    return break_off_in
