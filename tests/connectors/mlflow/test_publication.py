"""A publication adds what MLflow lacks of the champion's folder, also after an interrupted one."""

import hashlib
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow import MlflowClient, artifacts
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException
from mlflow.telemetry.client import get_telemetry_client
from mlflow.utils.validation import MAX_ENTITY_KEY_LENGTH, MAX_PARAM_VAL_LENGTH, MAX_TAG_VAL_LENGTH

from rnn_pipelines.champion.history import add_record, read_history
from rnn_pipelines.champion.outcome import promote_version, roll_back
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.connectors.mlflow.publication import (
    Publication,
    connect_mlflow,
    publish,
    publish_if_possible,
)
from rnn_pipelines.connectors.mlflow.specs import TrackingSpec
from rnn_pipelines.errors import TrackingError
from rnn_pipelines.versions.checksums import CHECKSUMS

NAME = "rnn-pipelines-forecast"
PUBLISH = """
import sys
from pathlib import Path
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.connectors.mlflow.publication import publish
from rnn_pipelines.connectors.mlflow.specs import TrackingSpec
publish(ChampionStore(Path(sys.argv[1])), "forecast", TrackingSpec.model_validate_json(sys.argv[2]))
"""


@pytest.fixture
def client(spec: TrackingSpec) -> MlflowClient:
    return connect_mlflow(spec)


def list_runs(client: MlflowClient) -> list[Run]:
    """The oldest first, those that were deleted too."""
    experiment = client.get_experiment_by_name(NAME)
    return client.search_runs(
        [experiment.experiment_id], run_view_type=ViewType.ALL, order_by=["start_time ASC"]
    )


def find_champion(client: MlflowClient) -> str:
    return client.get_model_version_by_alias(NAME, "champion").tags["version"]


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def published(store: ChampionStore, spec: TrackingSpec) -> Publication:
    return publish(store, "forecast", spec)


@pytest.fixture(scope="module")
def first(
    tmp_path_factory: pytest.TempPathFactory,
    fill_store: Callable[[Path], ChampionStore],
    copy_database: Callable[[Path], TrackingSpec],
) -> SimpleNamespace:
    """A publication that is only read: its `result`, `store`, `spec`, `client` and `folder`."""
    folder = tmp_path_factory.mktemp("first")
    store = fill_store(folder)
    spec = copy_database(folder)
    result = publish(store, "forecast", spec)
    return SimpleNamespace(
        result=result, store=store, spec=spec, client=connect_mlflow(spec), folder=folder
    )


def test_every_retraining_is_a_run(first: SimpleNamespace) -> None:
    assert first.result == Publication(num_runs=4, champion=first.store.list_versions()[1])
    outcomes = [(run.info.status, run.data.tags["outcome"]) for run in list_runs(first.client)]
    assert sorted(outcomes) == [
        ("FAILED", "failed"),
        ("FINISHED", "kept"),
        *2 * [("FINISHED", "promoted")],
    ]


def test_a_run_has_the_parameters(first: SimpleNamespace) -> None:
    run = list_runs(first.client)[0]
    assert run.data.params["forecast.lstm.units"] == "[64, 32]"


def test_a_run_has_the_losses(first: SimpleNamespace) -> None:
    run = list_runs(first.client)[0]
    assert run.data.metrics["loss/challenger"] == 14.25


def test_a_run_takes_the_time_of_its_retraining(first: SimpleNamespace) -> None:
    run = list_runs(first.client)[0]
    assert run.info.end_time - run.info.start_time == 60250


def test_a_run_has_the_losses_by_step(first: SimpleNamespace) -> None:
    history = first.client.get_metric_history(
        list_runs(first.client)[0].info.run_id, "by_step/challenger"
    )
    assert [(point.step, point.value) for point in history] == [(1, 14.0), (2, 14.5)]


def test_a_run_has_its_record(first: SimpleNamespace) -> None:
    run = list_runs(first.client)[0].info.run_id
    record = Path(first.client.download_artifacts(run, "record.json")).read_text()
    assert json.loads(record) == read_history(first.store.folder)[0]


def test_a_run_has_its_report(first: SimpleNamespace) -> None:
    run = list_runs(first.client)[0].info.run_id
    assert (
        "Promoted: promoted by the policy."
        in Path(first.client.download_artifacts(run, "report.html")).read_text()
    )


def test_artifacts_of_a_run_lie_beside_the_database(first: SimpleNamespace) -> None:
    assert list_runs(first.client)[0].info.artifact_uri.startswith(f"{first.folder}/mlruns/{NAME}/")


def test_the_alias_leads_to_the_champion(first: SimpleNamespace) -> None:
    found = first.client.get_model_version_by_alias(NAME, "champion")
    pointer = first.store.read_pointer()
    folder = first.store.find_folder(pointer.version)
    assert (found.tags["version"], found.tags["path"]) == (pointer.version, str(folder))


def test_the_registered_version_has_the_checksum_of_the_champion(first: SimpleNamespace) -> None:
    found = first.client.get_model_version_by_alias(NAME, "champion")
    pointer = first.store.read_pointer()
    folder = first.store.find_folder(pointer.version)
    assert (
        found.tags["checksum"]
        == pointer.checksum
        == hashlib.sha256((folder / CHECKSUMS).read_bytes()).hexdigest()
    )


def test_a_second_publication_adds_nothing(
    published: Publication, client: MlflowClient, store: ChampionStore, spec: TrackingSpec
) -> None:
    assert publish(store, "forecast", spec) == Publication(0, published.champion)
    assert (len(list_runs(client)), len(client.search_model_versions(f"name = '{NAME}'"))) == (4, 3)


def test_fetched_files_are_those_of_the_champion(
    first: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pointer = first.store.read_pointer()
    folder = first.store.find_folder(pointer.version)
    # Those that a deployment fetches, with the checksums that they can be held against.
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.setenv(name, first.spec.tracking_uri)
    fetched = artifacts.download_artifacts(
        f"models:/{NAME}@champion", dst_path=str(tmp_path / "fetched")
    )
    assert read_files(Path(fetched)) == read_files(folder)


def test_nothing_is_left_where_the_command_was_called(
    store: ChampionStore, spec: TrackingSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    publish(store, "forecast", spec)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_version_that_mlflow_lost_is_added_again(
    published: Publication, client: MlflowClient, store: ChampionStore, spec: TrackingSpec
) -> None:
    lost = client.get_model_version_by_alias(NAME, "champion")
    client.delete_model_version(NAME, lost.version)
    again = publish(store, "forecast", spec)
    assert (again.num_runs, again.champion) == (0, published.champion)
    assert client.get_model_version_by_alias(NAME, "champion").tags == lost.tags


def test_alias_follows_every_change_by_hand(
    published: Publication, store: ChampionStore, spec: TrackingSpec, client: MlflowClient
) -> None:
    first, _, kept = store.list_versions()
    roll_back(store, "forecast", "it was wrong")
    publish(store, "forecast", spec)
    assert find_champion(client) == first
    promote_version(store, "forecast", kept, "it was the data")
    publish(store, "forecast", spec)
    assert find_champion(client) == kept


@pytest.mark.parametrize(
    "call", ["log_batch", "log_text", "set_terminated", "log_artifacts", "create_model_version"]
)
def test_publication_that_broke_off_is_completed_by_the_next(
    store: ChampionStore,
    spec: TrackingSpec,
    client: MlflowClient,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    """At the second of these calls: the first run is told of by then, or half told."""
    original = getattr(MlflowClient, call)
    calls = []

    def break_off(*arguments: Any, **options: Any) -> Any:
        calls.append(call)
        if len(calls) == 2:
            raise MlflowException("the server went away")
        return original(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, call, break_off)
        with pytest.raises(TrackingError, match="the server went away"):
            publish(store, "forecast", spec)
    publish(store, "forecast", spec)
    assert sorted(run.data.tags["record"] for run in list_runs(client)) == [
        record["record"] for record in read_history(store.folder)
    ]
    assert len(client.search_model_versions(f"name = '{NAME}'")) == 3
    assert find_champion(client) == store.read_pointer().version


def test_end_of_a_retraining_publishes_the_newest_one_alone(
    store: ChampionStore,
    spec: TrackingSpec,
    client: MlflowClient,
    make_record: Callable[..., dict[str, Any]],
) -> None:
    version = store.add_version({"gru.keras": b"new"})
    store.promote(version, ["it is better"], "2026-02-01T02:00:00+00:00")
    name = add_record(store.folder, make_record("promoted", version))
    publish_if_possible(store, "forecast", lambda: spec)
    assert [run.data.tags["record"] for run in list_runs(client)] == [name]
    assert find_champion(client) == version
    assert publish(store, "forecast", spec) == Publication(4, version)


def test_file_of_another_name_is_no_retraining(
    store: ChampionStore, spec: TrackingSpec, client: MlflowClient
) -> None:
    copied = next((store.folder / "history").iterdir())
    copied.with_name("it's a copy.json").write_bytes(copied.read_bytes())
    assert publish(store, "forecast", spec).num_runs == 4


def test_long_parameters_are_shortened(
    store: ChampionStore,
    spec: TrackingSpec,
    client: MlflowClient,
    make_record: Callable[..., dict[str, Any]],
) -> None:
    long = "x" * 10_000
    add_record(store.folder, make_record(parameters={"forecast": {long: long}}, reasons=[long]))
    publish_if_possible(store, "forecast", lambda: spec)
    (run,) = list_runs(client)
    ((name, value),) = run.data.params.items()
    assert (len(name), run.info.status) == (MAX_ENTITY_KEY_LENGTH, "FINISHED")
    assert len(value) <= MAX_PARAM_VAL_LENGTH


def test_long_reasons_are_shortened(
    store: ChampionStore,
    spec: TrackingSpec,
    client: MlflowClient,
    make_record: Callable[..., dict[str, Any]],
) -> None:
    long = "x" * 10_000
    add_record(store.folder, make_record(parameters={"forecast": {long: long}}, reasons=[long]))
    publish_if_possible(store, "forecast", lambda: spec)
    (run,) = list_runs(client)
    assert len(run.data.tags["reasons"]) <= MAX_TAG_VAL_LENGTH


@pytest.mark.slow
def test_two_at_once_leave_no_doubles(
    store: ChampionStore, spec: TrackingSpec, client: MlflowClient
) -> None:
    command = [sys.executable, "-c", PUBLISH, str(store.folder), spec.model_dump_json()]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert (len(list_runs(client)), len(client.search_model_versions(f"name = '{NAME}'"))) == (4, 3)


@pytest.mark.usefixtures("published")
def test_what_was_deleted_in_mlflow_stays_so(
    store: ChampionStore, spec: TrackingSpec, client: MlflowClient
) -> None:
    client.delete_run(list_runs(client)[0].info.run_id)
    assert publish(store, "forecast", spec).num_runs == 0
    assert [run.info.lifecycle_stage for run in list_runs(client)].count("deleted") == 1


@pytest.mark.usefixtures("published")
def test_what_was_pruned_stays_in_mlflow(
    store: ChampionStore, spec: TrackingSpec, client: MlflowClient
) -> None:
    assert len(store.prune(0)) == 1
    publish(store, "forecast", spec)
    assert len(client.search_model_versions(f"name = '{NAME}'")) == 3


def test_pruned_version_is_a_run_alone(
    store: ChampionStore, spec: TrackingSpec, client: MlflowClient
) -> None:
    store.prune(0)
    publish(store, "forecast", spec)
    assert (len(list_runs(client)), len(client.search_model_versions(f"name = '{NAME}'"))) == (4, 2)


def test_task_without_a_history_has_no_champion(tmp_path: Path, spec: TrackingSpec) -> None:
    assert publish(ChampionStore(tmp_path / "nothing"), "forecast", spec) == Publication(0, None)


def test_damaged_version_is_not_copied(
    store: ChampionStore, spec: TrackingSpec, client: MlflowClient, caplog: pytest.LogCaptureFixture
) -> None:
    kept = store.list_versions()[-1]
    (store.find_folder(kept) / "gru.keras").write_bytes(b"other")
    publish(store, "forecast", spec)
    assert len(client.search_model_versions(f"name = '{NAME}'")) == 2
    assert [
        kept in record.getMessage() for record in caplog.records if record.levelno == logging.ERROR
    ] == [True]


def test_alias_names_no_other_version_where_mlflow_has_not_got_the_champion(
    published: Publication, store: ChampionStore, spec: TrackingSpec, client: MlflowClient
) -> None:
    version = store.add_version({"model": b"never on record"})
    store.promote(version, ["by hand"], "2026-02-01T00:00:00+00:00")
    assert publish(store, "forecast", spec).champion is None
    with pytest.raises(MlflowException, match="alias champion not found"):
        client.get_model_version_by_alias(NAME, "champion")


UNREACHABLE = TrackingSpec(is_on=True, tracking_uri="http://127.0.0.1:9")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_down_is_named(store: ChampionStore) -> None:
    with pytest.raises(
        TrackingError, match=r"^http://127\.0\.0\.1:9: \[Errno \d+\] Connection refused\."
    ):
        publish(store, "forecast", UNREACHABLE)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_down_is_logged_as_an_error(
    store: ChampionStore, caplog: pytest.LogCaptureFixture
) -> None:
    publish_if_possible(store, "forecast", lambda: UNREACHABLE)
    (record,) = [record for record in caplog.records if record.name.startswith("rnn_pipelines")]
    assert (record.levelno, bool(record.exc_info)) == (logging.ERROR, False)
    assert "http://127.0.0.1:9: " in record.getMessage()


@pytest.mark.usefixtures("impatient")
def test_what_a_server_missed_is_published_later(
    store: ChampionStore, spec: TrackingSpec, make_record: Callable[..., dict[str, Any]]
) -> None:
    publish_if_possible(store, "forecast", lambda: UNREACHABLE)
    add_record(store.folder, make_record("kept", None))
    assert publish(store, "forecast", spec).num_runs == 5


def test_file_that_is_no_database_is_named(store: ChampionStore, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("no database at all")
    with pytest.raises(TrackingError, match=r"broken\.db: .*not a database"):
        publish(
            store,
            "forecast",
            TrackingSpec(is_on=True, tracking_uri=f"sqlite:///{tmp_path}/broken.db"),
        )


def test_fault_of_a_library_keeps_its_traceback(
    store: ChampionStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        publish_if_possible(store, "forecast", lambda: None)
    assert (caplog.messages, (store.folder / "mlflow.lock").exists()) == ([], False)
    publish_if_possible(store, "forecast", lambda: 1 / 0)
    assert caplog.records[-1].exc_info[0] is ZeroDivisionError


def test_telemetry_is_off_without_any_setting_of_the_users(spec: TrackingSpec) -> None:
    """In a process of its own, without the variables by which tests are known."""
    code = (
        "import sys; from rnn_pipelines.connectors.mlflow.publication import connect_mlflow; "
        "from rnn_pipelines.connectors.mlflow.specs import TrackingSpec; "
        f"connect_mlflow(TrackingSpec(tracking_uri={spec.tracking_uri!r})).search_experiments(); "
        "from mlflow.telemetry.client import get_telemetry_client; "
        "from mlflow.telemetry.utils import is_telemetry_disabled; "
        "print(get_telemetry_client(), is_telemetry_disabled())"
    )
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    finished = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert finished.stdout == "None True\n"


def test_telemetry_is_off_in_these_tests_too() -> None:
    assert get_telemetry_client() is None
