"""What the documents name exists."""

import json
import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from statistics import stdev

import pytest
import yaml

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE_STYLES
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, TRAINED_BEFORE
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.lab.compare.report.results import list_tasks
from rnn_pipelines.sentiment.evaluation.metrics import N_GRAMS, WORDS_AND_WEIGHTS
from rnn_pipelines.sentiment.methods.registry import (
    list_candidate_networks,
    list_classifiers,
    name_alone,
)
from rnn_pipelines.sentiment.report.styles import get_styles

PROJECT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("benchmarks/*.md")]
)
DOCUMENTS = [path for path in DOCUMENTS if path.parent.name != "notebooks"]  # rendered for the site

# Words of the catalog, of folders, of file names and of rnn-pipelines.toml, which begin like parameters.
NOT_PARAMETERS = {
    f"{pipeline}.{end}"
    for pipeline in ("forecast", "sentiment", "compare")
    for end in ("json", "png", "yml", "py", "md", "service", "timer", "moved")
} | {"runs.md", "forecast.set"}


@pytest.fixture(params=DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def document(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_named_modules_exist(document: Path) -> None:
    # From the root of the project, or from the package.
    named = set(re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.py)`", document.read_text()))
    roots = (PROJECT, PROJECT / "src/rnn_pipelines")
    assert [
        name for name in sorted(named) if not any((root / name).is_file() for root in roots)
    ] == []


def list_contents(folder: Path) -> set[str]:
    """Return the packages and modules in a package."""
    packages = {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    return packages | {path.name for path in folder.glob("*.py") if path.name != "__init__.py"}


def list_packages() -> list[str]:
    """Return the packages and modules in the table of CONTRIBUTING.md, in its order."""
    rows = re.findall(r"^\| (`.*?) \|", (PROJECT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_contributing_lists_every_package() -> None:
    package = PROJECT / "src/rnn_pipelines"
    described_by_part = ("forecast", "sentiment", "lab")
    expected = list_contents(package) - {f"{name}/" for name in described_by_part}
    for name in described_by_part:
        expected |= {f"{name}/{part}" for part in list_contents(package / name)}
    assert sorted(list_packages()) == sorted(expected)


def find_depths() -> dict[str, int]:
    """Return how far below the top each package stands in its container, by the contracts of import-linter."""
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    return {
        f"{container}.{name}": depth
        for contract in contracts
        if contract["type"] == "layers"
        for container in contract["containers"]
        for depth, layer in enumerate(contract["layers"])
        for name in re.findall(r"\w+", layer)
    }


@pytest.mark.parametrize("task", ["", "lab/", "forecast/", "sentiment/"])
def test_contributing_lists_packages_from_the_top_layer_down(task: str) -> None:
    depths = find_depths()
    container = f"rnn_pipelines/{task}"
    own = [
        name.removeprefix(task).split("/")[0].removesuffix(".py")
        for name in list_packages()
        if name.startswith(task)
    ]
    places = [depths[f"{container.strip('/')}/{name}".replace("/", ".")] for name in own]
    assert places == sorted(places)


def test_named_parameters_exist(document: Path) -> None:
    files = [
        yaml.safe_load(path.read_text()) for path in (PROJECT / "conf/base").glob("parameters*.yml")
    ]
    parameters = {pipeline: blocks for file in files for pipeline, blocks in file.items()}
    pattern = rf"\b(?<![/.])(?:{'|'.join(parameters)})\.[a-z_]+(?:\.[a-z_]+)?"
    named = set(re.findall(pattern, document.read_text())) - NOT_PARAMETERS
    unknown = []
    for name in named:
        value = parameters
        for key in name.split("."):
            value = value.get(key, "missing") if isinstance(value, dict) else "missing"
        if value == "missing":
            unknown.append(name)
    assert unknown == []


def test_the_recorded_comparison_is_shown() -> None:
    """By `benchmarks/compare.py`, which prints the sections of the README."""
    kept = json.loads((PROJECT / "benchmarks/results/compare.json").read_text())
    printed = (PROJECT / "benchmarks/README.md").read_text()
    tasks = list_tasks(kept["runs"], kept["summary"], kept)
    assert [task.name for task in tasks] == list(kept["tasks"])
    assert [name for name in kept["tasks"] if f"### `{name}`\n" not in printed] == []


def test_methods_on_the_page_of_the_champion_exist() -> None:
    shown = list_rows(PROJECT / "docs/how-to/champion.md", "on the holdout")
    assert {"champion", "challenger", "baseline_ensemble", "trees"} <= shown
    assert shown <= {"champion", "challenger", *METHODS}


def test_every_forecasting_method_has_its_row() -> None:
    # Of both registries. A new method needs a row: its name, that of its `Style`, its forecast, and what it is for.
    forecasting = {
        name: STYLES[name].name for name in (*ENSEMBLE_STYLES, *NETWORKS, *TRAINED_BEFORE, *METHODS)
    }
    assert list_methods("Forecasting") == forecasting, (
        "add the row of the method to docs/reference/methods.md"
    )


def test_every_classifier_has_its_row() -> None:
    # What the classifiers read with the default parameters.
    alone = [name_alone(name) for name in list_candidate_networks()]
    readings = {
        name: {"reads": WORDS_AND_WEIGHTS if name in alone else N_GRAMS}
        for name in list_classifiers()
    }
    classifiers = {name: get_styles(readings)[name].name for name in list_classifiers()}
    assert list_methods("Texts") == classifiers, (
        "add the row of the classifier to docs/reference/methods.md"
    )


def list_rows(path: Path, heading: str) -> set[str]:
    """Return the first cells of the tables that an output in a page shows below a heading."""
    tables = re.findall(rf"^    {heading} .*\n((?:    \S.*\n)+)", path.read_text(), re.MULTILINE)
    return {re.split(" {2,}", row.strip())[0] for table in tables for row in table.splitlines()} - {
        "…"
    }


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_shown_summary_names_methods(page: str) -> None:
    rows = list_rows(PROJECT / page, "on the test part")
    shown = {
        row.removesuffix(" (adds nothing)")
        for row in rows
        if not re.fullmatch(r"and \d+ more", row)
    }
    assert (
        {"ensemble", "ensemble of simple methods"}
        <= shown
        <= {style.name for style in STYLES.values()}
    )


def test_list_of_how_to_pages_has_the_groups_of_the_navigation() -> None:
    """Every page is in one group of both."""
    sections = (PROJECT / "docs/how-to/index.md").read_text().split("\n## ")[1:]
    listed = {
        part.splitlines()[0]: re.findall(r"^- \[.*?\]\(([\w-]+\.md)\)", part, re.MULTILINE)
        for part in sections
    }
    entries = yaml.safe_load((PROJECT / "mkdocs.yml").read_text())["nav"]
    _, *groups = next(entry["How-to"] for entry in entries if "How-to" in entry)
    shown = {
        name: [page.removeprefix("how-to/") for item in items for page in item.values()]
        for group in groups
        for name, items in group.items()
    }
    assert listed == shown
    pages = {path.name for path in (PROJECT / "docs/how-to").glob("*.md")} - {"index.md"}
    assert sorted(page for names in listed.values() for page in names) == sorted(pages)


def test_readme_is_short() -> None:
    """A first reader has five minutes; further facts belong to the pages of docs."""
    assert len((PROJECT / "README.md").read_text().split()) <= 900


def list_methods(heading: str) -> dict[str, str]:
    """Return the names in a table of `docs/reference/methods.md`, with those that reports show."""
    section = (
        (PROJECT / "docs/reference/methods.md")
        .read_text()
        .partition(f"## {heading}\n")[2]
        .partition("\n## ")[0]
    )
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE))


# The file in `benchmarks/results` and the metric of each row of results, by the first words of the row.
RECORDED = {
    "Seattle": ("seattle", "mse"),
    "Melbourne": ("melbourne", "mse"),
    "Sunspots": ("sunspots", "mse"),
    "Jena": ("jena", "mse"),
    "ETTh1, 7 channels, 96 hours": ("etth1_96", "mse"),
    "ETTh1, 7 channels, 336 hours": ("etth1_336", "mse"),
    "M4 Hourly": ("m4_hourly", "owa"),
    "Tourism, 366": ("tourism", "mae"),
    "IMDB reviews, words + n-grams": ("sentiment_best", "accuracy"),
    "IMDB reviews, words alone": ("sentiment_words", "accuracy"),
}


def list_result_cells(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the row, the method and the cell of each result of a network or the ensemble in the tables of a page."""
    for heading, body in re.findall(
        r"^(\| data \|.*LSTM.*)\n\|[-:| ]+\n((?:\|.*\n)+)", path.read_text(), re.MULTILINE
    ):
        columns = [cell.strip() for cell in heading.strip("|").split("|")]
        for row in body.splitlines():
            cells = dict(
                zip(columns, (cell.strip() for cell in row.strip("|").split("|")), strict=True)
            )
            yield from (
                (cells["data"], name, cells[name])
                for name in ("LSTM", "GRU", "ensemble")
                if cells[name]
            )


@pytest.mark.parametrize("page", ["README.md", "docs/explanation/results.md"])
def test_results_are_the_recorded_ones(page: str) -> None:
    found = [
        (row, name, cell)
        for row, name, cell in list_result_cells(PROJECT / page)
        if row.startswith((*RECORDED,))
    ]
    assert len(found) >= 15
    for row, name, cell in found:
        file, metric = next(of for words, of in RECORDED.items() if row.startswith(words))
        runs = json.loads((PROJECT / f"benchmarks/results/{file}.json").read_text())
        # Files of earlier versions call the ensemble `best`.
        key = name.lower() if name.lower() in runs[0] else "best"
        scale = 100 if metric == "accuracy" else 1
        mean, *spread = (float(part) for part in cell.replace(",", "").split(" ± "))
        values = [scale * run[key][metric] for run in runs]
        digits = len(cell.split(" ± ")[0].partition(".")[2])
        assert mean == pytest.approx(sum(values) / len(values), abs=0.51 * 10**-digits), (row, name)
        if spread:
            assert spread[0] == pytest.approx(stdev(values), rel=0.35, abs=0.51 * 10**-digits), (
                row,
                name,
            )


def test_gallery_names_the_command_of_each_picture() -> None:
    """The pictures of `docs/gallery.py` are six small files, shown on the index with the commands of their runs."""
    gallery = runpy.run_path(str(PROJECT / "docs/gallery.py"))
    page = (PROJECT / "docs/index.md").read_text()
    shown = dict(
        re.findall(r"^!\[.+\]\(images/(gallery-[\w-]+)\.png\)\n`(.+?)`:", page, re.MULTILINE)
    )
    assert shown == {name: picture.command for name, picture in gallery["PICTURES"].items()}
    assert len(shown) == 6
    for name in shown:
        assert (PROJECT / f"docs/images/{name}.png").stat().st_size <= gallery["MAX_BYTES"]
