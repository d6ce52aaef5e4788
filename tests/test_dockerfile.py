"""The Dockerfile, as far as can be known without Docker."""

import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

Instructions = list[tuple[str, str]]


@pytest.fixture(scope="module")
def instructions(project: Path) -> Instructions:
    """Name and arguments of each, in order."""
    text = re.sub(r"^#.*\n", "", (project / "Dockerfile").read_text(), flags=re.MULTILINE).replace(
        "\\\n", " "
    )
    return [
        (name, " ".join(rest.split()))
        for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)
    ]


def find_all(instructions: Instructions, name: str) -> list[str]:
    return [arguments for found, arguments in instructions if found == name]


def find_copied(instructions: Instructions) -> list[str]:
    return [
        source for arguments in find_all(instructions, "COPY") for source in arguments.split()[:-1]
    ]


def find_installs(text: str) -> list[str]:
    """What pip and uv are asked for, without what only says how loud, where and from which file."""
    found = re.findall(r"(?:pip|PIP\)) install ([^&\n]+)", text)
    others = r"--(?:quiet|system|no-cache-dir|no-cache|compile-bytecode|(?:python|extra) \S+)(?: |$)|\S+/(?=uv\.txt)"
    return [re.sub(others, "", options).strip() for options in found]


def test_the_python_of_the_image_is_supported(instructions: Instructions, project: Path) -> None:
    version = re.match(r"python:(3\.\d+)-slim@", find_all(instructions, "FROM")[0])[1]
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    assert version in SpecifierSet(metadata["requires-python"])


def test_the_base_of_the_image_is_pinned(instructions: Instructions) -> None:
    bases = find_all(instructions, "FROM")
    assert [
        base for base in bases if not re.fullmatch(r"[\w.:/-]+@sha256:[0-9a-f]{64}", base)
    ] == []
    assert len(bases) == 1


def test_the_image_installs_as_make_does(instructions: Instructions, project: Path) -> None:
    # From the same lock, with hashes; the rules of uv, of what is locked, and of the project itself.
    installs = find_installs(
        (project / "Makefile").read_text().partition("$(VENV)/all.installed:")[0]
    )
    assert sorted(find_installs("\n".join(find_all(instructions, "RUN")))) == sorted(installs)


def test_the_image_has_the_extras_of_a_night(instructions: Instructions, project: Path) -> None:
    # All but the search for parameters, notebooks, the graph, the site and those of developers.
    extras = re.findall(r"--extra (\S+)", "\n".join(find_all(instructions, "RUN")))
    known = tomllib.loads((project / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert extras == sorted(known.keys() - {"docs", "tune", "viz", "notebook", "dev"})


def test_packages_of_the_image_are_compiled(instructions: Instructions) -> None:
    # The user who runs the commands may not write beside the packages.
    locked, own = find_all(instructions, "RUN")
    assert "--compile-bytecode" in locked
    assert "compileall -q src" in own


def test_all_that_is_copied_is_there(instructions: Instructions, project: Path) -> None:
    assert [source for source in find_copied(instructions) if not (project / source).exists()] == []


def test_only_what_is_copied_is_sent(instructions: Instructions, project: Path) -> None:
    lines = (project / ".dockerignore").read_text().splitlines()
    assert sorted(line[1:] for line in lines if line.startswith("!")) == sorted(
        find_copied(instructions)
    )


def test_local_configuration_is_not_sent(project: Path) -> None:
    # The last line that fits a path decides.
    lines = [
        line
        for line in (project / ".dockerignore").read_text().splitlines()
        if not line.startswith("#")
    ]
    fitting = [line for line in lines if fnmatch("conf/local", line.removeprefix("!"))]
    assert fitting[-1] == "conf/local"


def test_packages_are_installed_before_the_source_is_copied(instructions: Instructions) -> None:
    # A layer is taken from the cache until the first one whose files have changed.
    before = instructions[: instructions.index(("COPY", "src src"))]
    assert find_all(before, "COPY")[0] == "requirements.lock pyproject.toml ./"
    assert "--require-hashes" in find_all(before, "RUN")[0]


def test_commands_run_without_roots_rights(instructions: Instructions) -> None:
    names = [name for name, _ in instructions]
    assert find_all(instructions, "USER") == ["kedro"]
    assert names.index("USER") > max(number for number, name in enumerate(names) if name == "RUN")


def test_results_lie_in_a_volume(instructions: Instructions) -> None:
    assert find_all(instructions, "VOLUME") == ["/project/data"]


def test_the_image_runs_kedro(instructions: Instructions) -> None:
    assert json.loads(find_all(instructions, "ENTRYPOINT")[0]) == ["kedro"]


def test_commands_of_the_image_are_not_tracked(instructions: Instructions) -> None:
    assert "DO_NOT_TRACK=1" in find_all(instructions, "ENV")[0].split()
