"""Source and wheel distributions hold all that the package needs, and run in another environment."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
SMALL = ["--set", "training.max_steps=5", "--set", "lstm.members=1", "--set", "gru.members=1"]


def build(kind: str, source: Path, target: Path) -> Path:
    """A distribution by the backend that pyproject.toml names, without an environment of its own."""
    command = [sys.executable, "-c", BUILD, f"build_{kind}", str(target)]
    done = subprocess.run(command, cwd=source, check=True, capture_output=True, text=True)
    return target / done.stdout.splitlines()[-1]


def list_files(folder: Path) -> set[str]:
    """The files of the package that git has, relative to its parent."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines())


@pytest.fixture(scope="module")
def source(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution, as `python -m build` makes the wheel from it."""
    folder = tmp_path_factory.mktemp("sdist")
    copied = folder / "project"
    for name in (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        *(f"src/{file}" for file in list_files(project / "src")),
    ):
        (copied / name).parent.mkdir(parents=True, exist_ok=True)
        (copied / name).write_bytes((project / name).read_bytes())
    with tarfile.open(build("sdist", copied, folder)) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.glob("rnn_pipelines-*/")
    return unpacked


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", source, tmp_path_factory.mktemp("wheel"))


def test_wheel_has_all_files_of_the_package(wheel: Path, project: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == list_files(project / "src")


def test_source_distribution_has_its_metadata(source: Path) -> None:
    assert {"README.md", "LICENSE", "pyproject.toml", "PKG-INFO"} <= {
        path.name for path in source.iterdir()
    }


def test_installed_wheel_forecasts_outside_a_checkout(wheel: Path, tmp_path: Path) -> None:
    """The environment has the libraries of this one, but no other copy of the package."""
    own = tmp_path / "environment"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"UV_CACHE_DIR": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", own], check=True)
    (packages,) = own.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    install = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--offline",
        "--no-deps",
        "--python",
        own,
        wheel,
    ]
    subprocess.run(install, check=True, env=environment, capture_output=True)
    folder = tmp_path / "empty"
    folder.mkdir()
    days = pd.date_range("2024-01-01", periods=40).astype(str)
    pd.DataFrame({"day": days, "sold": [5.0, 7.0, 6.0, 9.0] * 10}).to_csv(
        folder / "my.csv", index=False
    )

    def run(*command: object) -> str:
        done = subprocess.run(
            command, cwd=folder, check=False, capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run(own / "bin/python", "-c", "import rnn_pipelines; print(rnn_pipelines.__file__)")
    assert Path(where.strip()).is_relative_to(packages)
    assert "next values" in run(own / "bin/rnn-pipelines", "forecast", "my.csv", *SMALL)
    assert {"report.html", "next_values.csv", "model"} <= {
        path.name for path in (folder / "my-forecast").iterdir()
    }
    assert "forecast" in run(
        own / "bin/rnn-pipelines",
        "predict",
        "my-forecast/model",
        "my.csv",
        "-t",
        "day",
        "-y",
        "sold",
    )


def read_pip(name: str) -> str:
    """Return a setting of pip, which uv does not read; empty if there is none."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    values = re.findall(rf"^(?:global|install)\.{name}='(.*)'$", done.stdout, re.MULTILINE)
    return values[-1] if values else ""


def test_uvx_forecasts_a_file_with_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """In an empty environment, with pip's index and certificates, as in the Makefile."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    index = environment.get("PIP_INDEX_URL") or read_pip("index-url")
    certificates = environment.get("PIP_CERT") or read_pip("cert")
    settings = {"UV_DEFAULT_INDEX": index, "SSL_CERT_FILE": certificates}
    environment = {name: value for name, value in settings.items() if value} | environment
    days = pd.date_range("2024-01-01", periods=84).astype(str)
    visits = [100 + 9 * (day % 7) for day in range(84)]
    pd.DataFrame({"day": days, "visits": visits}).to_csv(tmp_path / "my.csv", index=False)
    uvx = [sys.executable, "-m", "uv", "tool", "run", "--isolated", "--python", sys.executable]
    done = subprocess.run(
        [*uvx, "--from", wheel, "rnn-pipelines", "forecast", "my.csv", "--fast"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "2024-03-25" in done.stdout
    written = {path.name for path in (tmp_path / "my-forecast").iterdir()}
    assert {"report.html", "next_values.csv", "model"} <= written
