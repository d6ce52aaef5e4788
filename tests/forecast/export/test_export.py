"""An exported forecaster has the numbers of the project, with the packages of its requirements alone."""

import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError, RunError
from rnn_pipelines.forecast.export.files import (
    HEAD,
    PROGRAM,
    REQUIRED,
    SOURCE,
    export_forecaster,
    list_modules,
)
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.local.intermittent import extend_by_mean
from rnn_pipelines.forecast.methods.local.method import LocalModel
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.times.holidays import list_holidays
from rnn_pipelines.version import __version__

SMALL = {
    "lstm": {"units": [4, 3], "members": 2},
    "gru": {"units": 8, "members": 2},
    "training": {"max_steps": 25},
}
# The required packages and those that they need, and nothing else.
ALLOWED = (
    "numpy",
    "numpy.libs",
    "pandas",
    "pandas.libs",
    "dateutil",
    "six.py",
    "tzdata",
    "pytz",
    "threadpoolctl.py",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions.py",
    "typing_inspection",
)
# Predicts each folder's data and writes the imported packages.
ALONE = """
import json, pathlib, sys
sys.path[:0] = sys.argv[1:2]
import importlib, pandas as pd
for folder in map(pathlib.Path, sys.argv[2:]):
    sys.path.insert(0, str(folder))
    sys.modules.pop("forecaster", None)
    forecaster = importlib.import_module("forecaster").load(folder)
    frame = pd.read_csv(folder / "data.csv", dtype={"unique_id": str})
    for steps in json.loads((folder / "steps.txt").read_text()):
        forecaster.predict(frame, steps).to_csv(folder / f"found_{steps}.csv", index=False)
    forecaster.predict(frame, paths=20, seed=3).to_csv(folder / "paths.csv", index=False)
    forecaster.explain(frame).to_csv(folder / "contributions.csv", index=False)
    sys.path.pop(0)
files = [pathlib.Path(module.__file__) for module in sys.modules.values() if getattr(module, "__file__", None)]
site = pathlib.Path(sys.argv[1])
print(json.dumps(sorted({file.relative_to(site).parts[0] for file in files if file.is_relative_to(site)})))
"""


def load_program(folder: Path) -> Any:
    """The program of an export, as a module of this process."""
    spec = importlib.util.spec_from_file_location("exported_forecaster", folder / PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def make_series(
    name: str, num: int, freq: str, season: int, level: float = 50, seed: int = 0
) -> pd.DataFrame:
    noise = np.random.default_rng(seed).normal(size=num)
    ds = pd.date_range("2021-01-01", periods=num, freq=freq)
    y = level * (1 + 0.2 * np.sin(np.arange(num) * 2 * np.pi / season) + 0.02 * noise)
    return pd.DataFrame({"unique_id": name, "ds": ds, "y": y})


def make_covariates() -> pd.DataFrame:
    """Two series with missing values, and future covariates for three more days."""
    random = np.random.default_rng(1)
    frame = pd.concat(
        [make_series("a", 120, "D", 7), make_series("007", 123, "D", 7, 900, 1)], ignore_index=True
    )
    num = len(frame)
    frame["price"], frame["promo"] = random.normal(size=num), random.choice(["none", "half"], num)
    frame["wind"] = np.where(random.random(num) < 0.1, np.nan, random.normal(size=num))
    frame["region"] = frame["unique_id"].map({"a": "north", "007": "south"})
    frame["y"] = frame["y"] + 5 * frame["price"]
    frame.loc[[30, 31, 160], "y"] = np.nan
    is_ahead = frame.groupby("unique_id").cumcount(ascending=False) < 3
    frame.loc[is_ahead, ["y", "wind"]] = np.nan
    return frame


def make_chaotic() -> pd.DataFrame:
    """A logistic map with noise, which only networks learn; so they have a weight."""
    random = np.random.default_rng(0)
    values = [0.3]
    for _ in range(299):
        values.append(
            float(np.clip(3.7 * values[-1] * (1 - values[-1]) + 0.01 * random.normal(), 0.01, 0.99))
        )
    return make_series("a", 300, "D", 7).assign(y=10 + 5 * np.array(values))


def make_sparse() -> pd.DataFrame:
    frame = pd.concat([make_series(name, 120, "D", 7) for name in "abcd"], ignore_index=True)
    random = np.random.default_rng(2)
    return frame.assign(y=(random.random(len(frame)) < 0.3) * random.integers(1, 6, len(frame)))


def make_growing() -> pd.DataFrame:
    """Series whose changes grow with their level, so that logarithms are normalised."""
    shape = np.exp(0.02 * np.arange(90)) * (1 + 0.4 * np.sin(np.arange(90) * np.pi / 6))
    parts = [
        make_series(name, 90, "MS", 12, level, n)
        for n, (name, level) in enumerate({"a": 5, "b": 700}.items())
    ]
    parts += [make_series(f"c{number}", 90, "MS", 12, 10.0**number, number) for number in range(4)]
    return pd.concat([part.assign(y=part["y"] * shape) for part in parts], ignore_index=True)


def make_open_days() -> pd.DataFrame:
    """Business days without the holidays of Germany, of which the last one is before Easter."""
    frame = make_series("a", 326, "B", 5)
    return frame[~frame["ds"].isin(list_holidays("DE", (2021, 2022)))].reset_index(drop=True)


def make_hours() -> pd.DataFrame:
    """Hours of Berlin, over a change of clocks, with offsets from UTC."""
    return make_series("a", 240, "h", 24).assign(
        ds=pd.date_range("2021-03-25", periods=240, freq="h", tz="Europe/Berlin").map(
            lambda ds: ds.isoformat()
        )
    )


OPEN_DAYS = {"source": {"closed_days": ["DE"]}, "covariates": {"holidays": "DE"}}
COVARIATES = {"futr_exog": ["price", "promo"], "hist_exog": ["wind"], "stat_exog": ["region"]}
# The data, the parameters, and the steps ahead; None for the horizon.
CASES: dict[str, tuple[pd.DataFrame, dict[str, Any], list[int | None]]] = {
    "days": (make_series("a", 150, "D", 7), {"h": 3, "lookback": 14}, [None, 2, 8]),
    "chaotic": (make_chaotic(), {"h": 1, "lookback": 6}, [None, 2]),
    "covariates": (make_covariates(), {"h": 3, "lookback": 10, **COVARIATES}, [None, 2]),
    "sparse": (make_sparse(), {"h": 4, "lookback": 14}, [None, 9]),
    "growing": (make_growing(), {"h": 6, "lookback": 24}, [None, 13]),
    "short": (make_series("a", 20, "D", 7), {"h": 3}, [None]),
    "months": (make_series("a", 90, "MS", 12), {"h": 6, "lookback": 24}, [None]),
    "hours": (make_series("a", 300, "h", 24), {"h": 6, "lookback": 48}, [None]),
    "open days": (make_open_days(), {"h": 5, "lookback": 10, **OPEN_DAYS}, [None]),
    "zone": (make_hours(), {"h": 6, "lookback": 24, "source": {"tz": "Europe/Berlin"}}, [None]),
    "new series": (make_sparse(), {"h": 4, "lookback": 14}, [None, 9]),
    "pretrained": (
        make_series("a", 150, "D", 7),
        {"h": 3, "use": "pretrained", "networks": "pretrained"},
        [None, 8],
    ),
}
# Newer values, where they differ from the data of the fit.
NEWER = {
    "new series": pd.concat([make_sparse(), make_series("z", 60, "D", 7, 9, 5)], ignore_index=True)
}


@pytest.fixture(scope="module")
def fitted() -> dict[str, Forecaster]:
    return {
        name: Forecaster(**spec, **SMALL).fit(frame) for name, (frame, spec, _) in CASES.items()
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of the requirements and what they need."""
    site = tmp_path_factory.mktemp("site")
    (installed,) = {
        Path(spec.origin).parents[1]
        for spec in [importlib.util.find_spec("pandas")]
        if spec and spec.origin
    }
    for name in ALLOWED:
        if (installed / name).exists():
            (site / name).symlink_to(installed / name)
    return site


@pytest.fixture(scope="module")
def exported(
    fitted: dict[str, Forecaster], site: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The exports, which have predicted their data without the project."""
    folders = {name: tmp_path_factory.mktemp("exports") / "model" for name in fitted}
    for name, folder in folders.items():
        frame, _, steps = CASES[name]
        fitted[name].export(folder)
        NEWER.get(name, frame).to_csv(folder / "data.csv", index=False)
        (folder / "steps.txt").write_text(json.dumps(steps))
    command = [sys.executable, "-I", "-S", "-c", ALONE, str(site), *map(str, folders.values())]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert {"numpy", "pandas"} <= set(json.loads(done.stdout)) <= set(ALLOWED)
    return folders


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_the_project(
    name: str, fitted: dict[str, Forecaster], exported: dict[str, Path]
) -> None:
    """Each digit of forecasts, bounds, sample paths and contributions, for the data as read from the same file."""
    frame = pd.read_csv(exported[name] / "data.csv", dtype={"unique_id": str})
    for steps in CASES[name][2]:
        expected = fitted[name].predict(frame, steps)
        assert (exported[name] / f"found_{steps}.csv").read_text() == expected.to_csv(index=False)
    paths = fitted[name].predict(frame, paths=20, seed=3)
    assert (exported[name] / "paths.csv").read_text() == paths.to_csv(index=False)
    assert (exported[name] / "contributions.csv").read_text() == fitted[name].explain(frame).to_csv(
        index=False
    )


def test_the_cases_have_all_kinds_of_models(fitted: dict[str, Forecaster]) -> None:
    kinds = set()
    methods = set()
    for forecaster in fitted.values():
        model = forecaster._make_artefact().model
        assert isinstance(model, PanelModel)
        assert isinstance(model.model, EnsembleModel)
        kinds.add(model.normalizer.kind)
        methods |= set(model.model.models)
    assert kinds == {"series", "window", "log"}
    assert {
        "lstm",
        "gru",
        "baseline_ensemble",
        "theta",
        "damped_trend",
        "holt_winters",
        "croston",
        "short_series_rule",
    } <= methods


def test_forecasts_skip_closed_days(exported: dict[str, Path]) -> None:
    days = pd.read_csv(exported["open days"] / "found_None.csv")["ds"].tolist()
    assert days == ["2022-04-04", "2022-04-05", "2022-04-06", "2022-04-07", "2022-04-08"]


def test_program_begins_with_the_version_of_the_project(exported: dict[str, Path]) -> None:
    head, _, program = (exported["days"] / PROGRAM).read_text().partition("\n")
    sha256 = hashlib.sha256(b"".join([*list_modules().values(), program.encode()])).hexdigest()
    assert head + "\n" == HEAD.format(version=__version__, sha256=sha256)


def test_modules_are_those_of_the_project(exported: dict[str, Path]) -> None:
    modules = {
        path.relative_to(exported["days"]).as_posix()
        for path in (exported["days"] / "rnn_pipelines").rglob("*.py")
    }
    assert modules == set(list_modules())
    assert all(
        (exported["days"] / name).read_bytes() == (SOURCE / name).read_bytes() for name in modules
    )


def test_requirements_have_the_installed_versions(exported: dict[str, Path]) -> None:
    lines = (exported["days"] / "requirements.txt").read_text().splitlines()
    assert lines == [f"{name}=={version(name)}" for name in REQUIRED]


def test_command_line_forecasts_as_the_function_does(exported: dict[str, Path]) -> None:
    folder = exported["days"]
    command = [
        sys.executable,
        folder / PROGRAM,
        folder / "data.csv",
        "--horizon",
        "2",
        "--level",
        "80",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    expected = pd.read_csv(folder / "found_2.csv").drop(
        columns=["ensemble-lo-95", "ensemble-hi-95"]
    )
    assert done.stdout == expected.to_csv(index=False)


def test_error_of_the_command_line_exits_with_2(exported: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "no.csv").write_text("ds,y\n2021-01-01,1\n")
    command = [sys.executable, exported["days"] / PROGRAM, tmp_path / "no.csv"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith("Error: ")


def test_errors_of_the_program_return_2(
    exported: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = load_program(exported["days"])
    for words in (
        ["no.csv"],
        ["missing.csv"],
        [str(exported["days"] / "data.csv"), "--level", "100"],
    ):
        assert program.main([str(tmp_path / words[0]), *words[1:]]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.splitlines()[-1].startswith("Error: ")


def test_a_zip_file_predicts_without_being_unpacked(
    fitted: dict[str, Forecaster], tmp_path: Path
) -> None:
    path = tmp_path / "new" / "model.zip"
    fitted["days"].export(path)
    assert zipfile.ZipFile(path).testzip() is None
    frame = CASES["days"][0]
    frame.to_csv(tmp_path / "data.csv", index=False)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import forecaster; sys.exit(forecaster.main(sys.argv[2:]))"
    command = [sys.executable, "-c", code, path, tmp_path / "data.csv"]
    found = pd.read_csv(
        io.StringIO(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    )
    np.testing.assert_allclose(
        found["ensemble"], fitted["days"].predict(frame)["ensemble"], rtol=1e-6
    )


def test_no_training_data_is_exported(exported: dict[str, Path]) -> None:
    own = {
        "data.csv",
        "steps.txt",
        "paths.csv",
        "contributions.csv",
        "__pycache__",
        *(path.name for path in exported["days"].glob("found_*")),
    }
    names = {path.name for path in exported["days"].iterdir()} - own
    assert names == {
        PROGRAM,
        "rnn_pipelines",
        "requirements.txt",
        "evaluated.npz",
        "holidays.json",
        "settings.json",
        "scaler.json",
        "coding.json",
        "model.npz",
        "intervals.npz",
    }


def test_an_existing_path_is_refused(fitted: dict[str, Forecaster], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    for path in (tmp_path, tmp_path / "link"):
        with pytest.raises(RunError):
            fitted["days"].export(path)


def test_a_method_that_the_program_lacks_is_refused(
    fitted: dict[str, Forecaster], tmp_path: Path
) -> None:
    forecaster = fitted["days"]._make_artefact()
    assert isinstance(forecaster.model, PanelModel)
    ensemble = EnsembleModel({"own": 1.0}, {"own": LocalModel("own", extend_by_mean)})
    with pytest.raises(ParameterError, match="'own'"):
        export_forecaster(
            replace(forecaster, model=PanelModel(forecaster.model.normalizer, ensemble)),
            tmp_path / "a",
        )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def reload(tmp_path: Path) -> Callable[[Forecaster], Any]:
    """Exports a forecaster and loads it into this process; returns it and its module."""

    def export_and_load(forecaster: Forecaster) -> Any:
        forecaster.export(tmp_path / "model")
        module = load_program(tmp_path / "model")
        return module.load(), module

    return export_and_load


@pytest.mark.parametrize(("freq", "num", "season"), [("h", 240, 24), ("D", 120, 7)])
def test_times_with_a_zone(
    freq: str, num: int, season: int, reload: Callable[[Forecaster], Any]
) -> None:
    """The hours are those of a change of clocks, counted in UTC. Days are local."""
    frame = make_series("a", num, freq, season).assign(
        ds=pd.date_range("2021-03-25", periods=num, freq=freq, tz="Europe/Berlin")
    )
    fitted = Forecaster(h=3, lookback=24, **SMALL).fit(frame)
    loaded, module = reload(fitted)
    expected = fitted.predict(frame)
    text = frame.assign(ds=frame["ds"].map(lambda ds: ds.isoformat()))
    for given in (frame, text):
        pd.testing.assert_frame_equal(
            loaded.predict(given), expected[list(loaded.predict(given))], rtol=1e-6
        )
    local = frame.assign(ds=frame["ds"].dt.tz_localize(None))
    if freq == "D":
        pd.testing.assert_frame_equal(loaded.predict(local), loaded.predict(frame))
    else:
        with pytest.raises(module.SeriesError, match="'ds'"):
            loaded.predict(local)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda frame: frame.drop(columns="y"), "'y'"),
        (lambda frame: frame.assign(y="many"), "'y'"),
        (lambda frame: frame.assign(ds="01/02/2021"), "'ds'"),
        (lambda frame: frame.assign(ds=frame["ds"].dt.tz_localize("UTC")), "'ds'"),
        (lambda frame: frame.assign(ds=frame["ds"].mask(frame.index == 3)), "'ds'"),
        (
            lambda frame: frame.assign(
                ds=frame["ds"].astype(str).where(frame.index > 0, "2021-01-01T00:00Z")
            ),
            "'ds'",
        ),
        (lambda frame: frame.assign(unique_id="other"), "'other'"),
        (lambda frame: frame.iloc[-5:], "14"),
        (lambda frame: pd.concat([frame, frame.iloc[-1:].assign(y=0.0)]), "'ds'"),
    ],
)
def test_wrong_data_are_refused(
    change: Any, named: str, fitted: dict[str, Forecaster], reload: Any
) -> None:
    loaded, module = reload(fitted["days"])
    with pytest.raises(module.SeriesError, match=named):
        loaded.predict(change(CASES["days"][0]))


def test_steps_are_whole_numbers(reload: Callable[[Forecaster], Any]) -> None:
    frame = make_series("a", 100, "D", 7)[["y"]].assign(ds=np.arange(100))
    fitted = Forecaster(h=3, lookback=14, **SMALL).fit(frame)
    loaded, module = reload(fitted)
    assert loaded.predict(frame)["ds"].tolist() == [100, 101, 102]
    with pytest.raises(module.SeriesError, match="'ds'"):
        loaded.predict(frame.assign(ds=frame["ds"] + 0.5))


@pytest.mark.parametrize("wrong", [{"h": 0}, {"h": 3_001}, {"h": 1.5}, {"level": [100]}])
def test_wrong_parameters_are_refused(
    wrong: dict[str, Any], fitted: dict[str, Forecaster], reload: Any
) -> None:
    loaded, module = reload(fitted["days"])
    with pytest.raises(module.ParameterError):
        loaded.predict(CASES["days"][0], **wrong)


def test_ids_that_are_integers_stay(reload: Callable[[Forecaster], Any]) -> None:
    names = {name: number for number, name in enumerate("abcd")}
    frame = make_sparse().assign(unique_id=lambda table: table["unique_id"].map(names))
    fitted = Forecaster(h=3, lookback=14, networks="pretrained").fit(frame)
    loaded, _ = reload(fitted)
    found = loaded.predict(frame, level=[])
    assert list(found) == ["unique_id", "ds", "ensemble"]
    pd.testing.assert_series_equal(found["unique_id"], fitted.predict(frame)["unique_id"])


def test_frame_is_not_changed(
    fitted: dict[str, Forecaster], reload: Callable[[Forecaster], Any]
) -> None:
    frame = make_sparse()
    loaded, _ = reload(fitted["sparse"])
    before = frame.copy(deep=True)
    loaded.predict(frame, level=[])
    pd.testing.assert_frame_equal(frame, before)
