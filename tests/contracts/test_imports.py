"""Imports point one way, and a command that trains nothing loads nothing that trains."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = re.compile(r"\| +(tensorflow|keras|sklearn|mlflow)$", re.MULTILINE)


def test_import_contracts_hold(project: Path) -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    finished = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout


def test_command_loads_neither_tensorflow_nor_scikit_learn_nor_mlflow(project: Path) -> None:
    command = ["kedro", "catalog", "describe-datasets", "--env=test"]
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", *command],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "| rnn_pipelines" in re.sub(" +", " ", finished.stderr)  # the project itself was loaded
    assert HEAVY.findall(finished.stderr) == []


# Who loads a heavy library as soon as it is loaded itself; all others load it inside functions, or for types alone.
AT_THE_TOP = {
    "keras": {
        "lab.compare.training", "lab.internals.sentiment.layers", "networks.callbacks", "networks.fit",
        "networks.keras_members", "networks.layers", "sentiment.methods.network",
        "sentiment.methods.pretraining",
        "sentiment.methods.keras_training",
    },
    "tensorflow": {
        "lab.compare.training", "networks.fit", "networks.keras_trainer",
        "sentiment.methods.keras_training",
    },
    "sklearn": {"sentiment.methods.head"},
    "mlflow": {
        "connectors.mlflow.registry", "connectors.mlflow.served_model", "connectors.mlflow.forecast_model",
        "connectors.mlflow.forecast_served", "connectors.mlflow.sentiment_model", "connectors.mlflow.sentiment_served",
    },
    "sqlalchemy": {
        "connectors.postgres.connection", "connectors.postgres.query", "connectors.postgres.rows",
        "connectors.postgres.table",
    },
    "joblib": set(),
    "utilsforecast": set(),
}  # fmt: skip


def list_imports_at_the_top(path: Path) -> set[str]:
    """The libraries that a module loads with itself."""
    nodes = ast.parse(path.read_text()).body
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("library", AT_THE_TOP)
def test_heavy_library_is_loaded_at_the_top_by_these_modules_alone(
    project: Path, library: str
) -> None:
    package = project / "src" / "rnn_pipelines"
    found = {
        ".".join(path.relative_to(package).with_suffix("").parts)
        for path in package.rglob("*.py")
        if library in list_imports_at_the_top(path)
    }
    assert found == AT_THE_TOP[library]
