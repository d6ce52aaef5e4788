"""A project that `kedro new` makes of the starter runs, and its test passes."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

STARTER = Path(__file__).parents[1] / "starter"


def run(folder: Path, *words: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.slow
def test_project_of_the_starter_forecasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = tmp_path / "answers.yml"
    answers = f"output_dir: {tmp_path}\nproject_name: My Shops\nrepo_name: my-shops\npython_package: my_shops\n"
    configuration.write_text(answers)
    run(tmp_path, "kedro", "new", f"--starter={STARTER}", f"--config={configuration}")
    project = tmp_path / "my-shops"
    run(project, "kedro", "run")
    next_values = pd.read_csv(project / "data/07_model_output/next_values.csv")
    assert next_values.groupby("unique_id").size().to_dict() == {"north": 6, "south": 6}
    # As after pip install -e.
    paths = [str(project / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    run(project, "pytest", "-q")


def test_starter_is_short() -> None:
    files = [path for path in STARTER.rglob("*") if path.is_file()]
    assert sum(len(path.read_text().splitlines()) for path in files) <= 300
