"""Paths and current inputs of a task, from configuration and catalog."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.session import KedroSession
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from omegaconf import OmegaConf
from pydantic import Field, field_validator

from rnn_pipelines.champion.manifest import join_covariates, make_fingerprints
from rnn_pipelines.champion.records import Fingerprints
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.connectors.mlflow.specs import SaveModel, TrackingSpec, read_tracking
from rnn_pipelines.connectors.settings import find_settings
from rnn_pipelines.datasets.champion import ChampionDataset
from rnn_pipelines.errors import ChampionError, ParameterError, show
from rnn_pipelines.parameter_models import ParameterModel, read_parameter_model


class GlobalsSpec(ParameterModel, frozen=True):
    """The settings in `globals.yml`.

    Attributes:
        data_root: folder of all data, relative to the project, or its address on another machine.
        layers: of the catalog's entries, for kedro-viz.
    """

    data_root: str
    layers: dict[str, object] = Field(default_factory=dict)

    @field_validator("data_root", mode="before")
    @classmethod
    def _validate_data_root(cls, root: Any) -> Any:
        """Reject an empty root and ~: the catalog would take them as the file system's root and as a folder's name."""
        if not isinstance(root, str) or not root.strip() or root.startswith("~"):
            expected = "expected a folder, such as data or /srv/data, written in full without ~"
            raise ValueError(f"{expected}, received {show(root)}")
        return root


@dataclass(frozen=True)
class TaskPaths:
    """The paths and settings of a task: the folder of its versions, pointer, history and locks, and the verdict's file.

    `log` is the file of its log of predictions; None if it has none, or on a server.

    `env` is the environment whose configuration is read besides `base`. `find_tracking` checks `mlflow.yml` and returns
    the settings of MLflow; None if it is off.
    """

    champion: Path
    verdict: Path
    env: str = "local"
    find_tracking: Callable[[], TrackingSpec | None] = lambda: None
    log: Path | None = None

    @property
    def store(self) -> ChampionStore:
        return ChampionStore(self.champion)


def find_data_root(context: KedroContext) -> Path | None:
    """Return the data root; None if it is on another machine.

    A `globals.yml` without a data root, or with an unknown key, raises a ParameterError.
    """
    loader = context.config_loader
    root = read_parameter_model("globals", GlobalsSpec, loader["globals"]).data_root
    if isinstance(loader, OmegaConfigLoader):
        path = Path(loader.conf_source, loader.env or loader.default_run_env, "globals.yml")
        # A file with only comments counts as missing.
        settings: Any = OmegaConf.load(path) if path.is_file() else {}
        # That of `base` would apply.
        if settings and "data_root" not in settings:
            raise ParameterError(
                f"{path}: expected data_root, found none. Add data_root: data, or remove the file."
            )
    return None if "://" in root else Path(context.project_path, root)


def find_paths(task: str, env: str | None) -> TaskPaths:
    """Return the paths of a task in an environment; a ChampionError as in `find_paths_in`."""
    session = KedroSession.create(env=env)
    with session:
        return find_paths_in(session, task)


def find_paths_in(session: KedroSession, task: str) -> TaskPaths:
    """Return the paths of a task in the environment of a session; a ChampionError if that has no champion of the task.

    They are read from the catalog's configuration, because a catalog would check the parameters of all pipelines first.
    """
    context = session.load_context()
    entries = context.config_loader["catalog"]
    champion, verdict = (
        entries.get(name, {}) for name in (f"champion_{task}", f"monitor_{task}_verdict")
    )
    if "path" not in champion:
        raise ChampionError(
            f"catalog entry champion_{task}: expected one with a path; there is no {task} to retrain."
        )
    verdict_file = verdict.get("filepath", f"no monitor_{task}_verdict in the catalog")
    files = context.project_path / champion["path"], context.project_path / verdict_file
    log_file = entries.get(f"predict_{task}_forecasts", {}).get("filepath")
    log = None if log_file is None else context.project_path / log_file
    return TaskPaths(*files, context.env or "local", partial(find_tracking, context), log)


def find_tracking(context: KedroContext) -> TrackingSpec | None:
    """Return the settings of MLflow in the environment of a session, see `read_tracking`; None if it is off."""
    return read_tracking(find_settings(context, "mlflow"), context.project_path)


def find_saver(task: str) -> SaveModel:
    """Return the function that writes a model of a task as one that MLflow serves; only its call imports MLflow."""

    def save(files: Mapping[str, bytes], folder: Path) -> None:
        import_module(f"rnn_pipelines.connectors.mlflow.{task}_model").save_mlflow_model(
            files, folder
        )

    return save


def find_store(catalog: CatalogProtocol[Any, Any], task: str) -> ChampionStore:
    """Return the store of a task's model; a ChampionError if the catalog's entry is of another type."""
    champion = catalog[f"champion_{task}"]
    if not isinstance(champion, ChampionDataset):
        raise ChampionError(
            f"catalog entry champion_{task}: expected a ChampionDataset, received {champion!r}."
        )
    return champion.store


def fingerprint_newest(
    task: str, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
) -> Fingerprints:
    """Return the current fingerprints of data, parameters and code, without training.

    A panel that is larger than memory is divided first, and the retraining finds its parts. The first nodes of the
    task's retraining read the newest data, and covariates if it has any. The parameters of the catalog are validated.
    """
    tables = [f"retrain_{task}_table", f"retrain_{task}_covariate_table"]
    outputs = read_outputs(tables, pipeline, catalog)
    read = [outputs[name] for name in tables if name in outputs]
    parameters = catalog.load("parameters")
    return make_fingerprints(
        join_covariates(*read), {name: parameters[name] for name in (task, f"retrain_{task}")}
    )


def read_outputs(
    names: Iterable[str], pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
) -> dict[str, Any]:
    """Return outputs of the first nodes of a pipeline, and save nothing; unknown names are left out."""
    outputs = pipeline.all_outputs().intersection(names)
    values = dict[str, Any]()
    for reader in pipeline.to_outputs(*outputs).nodes if outputs else ():
        values |= reader.run(
            {name: values[name] if name in values else catalog.load(name) for name in reader.inputs}
        )
    return {name: values[name] for name in outputs}
