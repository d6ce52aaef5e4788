"""What a scheduler is given can be read by it, and a night goes on after a step that failed."""

import configparser
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rnn_pipelines.console.part import part

UNITS = ("rnn-pipelines@.service", "rnn-pipelines@.timer")
# By systemd's own measure, from 0 (nothing is open) to 10; without any limits, the unit had 8.7.
MAX_EXPOSURE = 3.0
PLACEHOLDERS = ("/path/to/rnn-pipelines", "USER")
# Every key that the units may have, by section; systemd passes over one that it doesn't know.
KEYS = {
    "Unit": {"Description", "Documentation", "After", "Wants"},
    "Service": {
        "Type", "User", "WorkingDirectory", "ExecStart", "Environment", "SuccessExitStatus", "TimeoutStartSec",
        "StandardOutput", "StandardError", "SyslogIdentifier", "Nice", "NoNewPrivileges", "PrivateTmp",
        "ProtectSystem", "ProtectHome", "ReadWritePaths", "UMask", "CapabilityBoundingSet", "PrivateDevices",
        "ProtectClock",
        "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
        "ProtectProc", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality",
        "RestrictAddressFamilies", "SystemCallArchitectures", "SystemCallFilter", "SystemCallErrorNumber",
    },
    "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
    "Install": {"WantedBy"},
}  # fmt: skip
FAKE = """#!/bin/sh
echo "$DO_NOT_TRACK $*" >> calls
case "$*" in
    "champion retrain"*) exit "${RETRAIN:-0}";;
    "run --pipelines=predict"*) exit "${PREDICT:-0}";;
    "champion check"*) exit "${CHECK:-0}";;
esac
"""

FOLDER_OF_PARTS = "data/01_raw/forecast_partitions"
Night = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def deploy(project: Path) -> Path:
    return project / "deploy"


def read_unit(path: Path) -> configparser.ConfigParser:
    """Of a key that stands there more than once, the last value."""
    unit = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(path)
    return unit


@pytest.mark.parametrize("name", UNITS)
def test_units_have_only_keys_that_systemd_knows(deploy: Path, name: str) -> None:
    unit = read_unit(deploy / name)
    assert [
        key for section in unit.sections() for key in unit[section] if key not in KEYS[section]
    ] == []


@pytest.mark.systemd
def test_units_pass_systemds_own_check(deploy: Path, project: Path, tmp_path: Path) -> None:
    """With the placeholders filled in."""
    for name in UNITS:
        text = (deploy / name).read_text()
        for placeholder, value in zip(PLACEHOLDERS, (str(project), "root"), strict=True):
            text = text.replace(placeholder, value)
        (tmp_path / name.replace("@", "@forecast")).write_text(text)
    command = ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert [line for line in finished.stderr.splitlines() if "rnn-pipelines" in line] == []
    assert finished.returncode == 0


@pytest.mark.systemd
def test_night_can_do_little_more_than_it_needs(deploy: Path) -> None:
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        "--no-pager",
        str(deploy / UNITS[0]),
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1]) <= MAX_EXPOSURE


def test_a_night_may_write_its_results(deploy: Path) -> None:
    service = read_unit(deploy / UNITS[0])["Service"]
    folder = service["WorkingDirectory"]
    assert service["ReadWritePaths"].split() == [f"{folder}/data", f"-{folder}/.viz"]


def test_data_roots_of_nights_lie_where_the_unit_may_write(project: Path) -> None:
    files = [project / f"conf/{env}/globals.yml" for env in ("base", "classic", "postgres")]
    roots = [yaml.safe_load(path.read_text())["data_root"] for path in files]
    assert [root for root in roots if root.partition("/")[0] != "data"] == []


def test_a_missed_night_is_caught_up(deploy: Path) -> None:
    assert read_unit(deploy / UNITS[1])["Timer"]["Persistent"] == "true"


def test_an_alarm_is_the_only_failure_of_a_check(deploy: Path) -> None:
    # And an alarm is one.
    assert read_unit(deploy / UNITS[0])["Service"]["SuccessExitStatus"] == "10 11"


def test_nights_are_not_tracked(deploy: Path) -> None:
    for name in (*UNITS[:1], "crontab", "nightly.sh"):
        assert "DO_NOT_TRACK=1" in (deploy / name).read_text()


def test_the_crontab_has_one_line(deploy: Path) -> None:
    lines = [
        line for line in (deploy / "crontab").read_text().splitlines() if re.match(r"[\d*]", line)
    ]
    assert len(lines) == 1


def test_the_crontab_runs_every_night(deploy: Path) -> None:
    lines = [
        line for line in (deploy / "crontab").read_text().splitlines() if re.match(r"[\d*]", line)
    ]
    minute, hour, day, month, weekday, _command = lines[0].split(maxsplit=5)
    assert (minute.isdigit(), hour.isdigit(), day, month, weekday) == (True, True, "*", "*", "*")


def test_the_crontab_runs_one_night_at_once(deploy: Path) -> None:
    lines = [
        line for line in (deploy / "crontab").read_text().splitlines() if re.match(r"[\d*]", line)
    ]
    _minute, _hour, _day, _month, _weekday, command = lines[0].split(maxsplit=5)
    assert re.search(r"flock --nonblock .*deploy/nightly\.sh forecast >> \S+\.log 2>&1$", command)
    assert "%" not in command  # cron makes a line break of it


def test_the_script_of_nights_can_be_executed(deploy: Path) -> None:
    assert os.access(deploy / "nightly.sh", os.X_OK)


@pytest.fixture
def night(deploy: Path, tmp_path: Path) -> Night:
    """Runs a night with a stand-in for kedro; returns its exit code and what was called."""
    for name, content in (
        ("deploy/nightly.sh", (deploy / "nightly.sh").read_text()),
        (".venv/bin/kedro", FAKE),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(content)
        path.chmod(0o755)

    def run_night(*arguments: str, **codes: int) -> tuple[int, list[str]]:
        environment = os.environ | {name.upper(): str(code) for name, code in codes.items()}
        command = [str(tmp_path / "deploy/nightly.sh"), *arguments]
        finished = subprocess.run(
            command, cwd="/", env=environment, check=False, capture_output=True, text=True
        )
        calls = tmp_path / "calls"
        return finished.returncode, calls.read_text().splitlines() if calls.exists() else []

    return run_night


def test_a_night_needs_its_task(night: Night) -> None:
    code, calls = night()
    assert (code != 0, calls) == (True, [])


def test_a_night_runs_all_steps(night: Night) -> None:
    assert night("forecast") == (
        0,
        [
            "1 champion retrain forecast --wait 3600",
            "1 run --pipelines=predict_forecast",
            "1 run --pipelines=monitor_forecast",
            "1 champion check forecast",
        ],
    )


def test_a_night_goes_on_after_a_failure(night: Night) -> None:
    code, calls = night("forecast", retrain=1)
    assert (code, len(calls)) == (1, 4)


def test_a_night_ends_with_its_first_failure(night: Night) -> None:
    assert night("forecast", retrain=75, predict=1, check=20)[0] == 75


@pytest.mark.parametrize("check", [10, 11, 20])
def test_night_ends_with_the_code_of_the_check(night: Night, check: int) -> None:
    assert night("forecast", check=check)[0] == check


@pytest.fixture
def manifest(deploy: Path) -> dict[str, Any]:
    return yaml.safe_load((deploy / "kubernetes/parts.yml").read_text())


def test_manifest_of_parts_is_an_indexed_job(manifest: dict[str, Any]) -> None:
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "Job")
    assert manifest["spec"]["completionMode"] == "Indexed"


def test_manifest_of_parts_has_at_most_40_lines(deploy: Path) -> None:
    assert len((deploy / "kubernetes/parts.yml").read_text().splitlines()) <= 40


def test_container_of_a_part_calls_the_program_with_its_index(manifest: dict[str, Any]) -> None:
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    program, name, *arguments = container["command"]
    filled = [word.replace("$(JOB_COMPLETION_INDEX)", "7") for word in arguments]
    assert (program, name) == ("rnn-pipelines", "part")
    assert part.make_context(name, filled).params == {"folder": FOLDER_OF_PARTS, "index": 7}


def test_container_of_a_part_sees_the_data_of_the_image(
    manifest: dict[str, Any], project: Path
) -> None:
    pod = manifest["spec"]["template"]["spec"]
    (mount,) = pod["containers"][0]["volumeMounts"]
    (folder,) = re.findall(r"^WORKDIR (\S+)$", (project / "Dockerfile").read_text(), re.MULTILINE)
    assert mount["mountPath"] == f"{folder}/data"
    assert [volume["name"] for volume in pod["volumes"]] == [mount["name"]]


def test_task_of_a_slurm_array_forecasts_its_part(deploy: Path, tmp_path: Path) -> None:
    program = tmp_path / ".venv/bin/rnn-pipelines"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$*"\n')
    program.chmod(0o755)
    finished = subprocess.run(
        [deploy / "slurm/parts.sh"],
        cwd=tmp_path,
        env=os.environ | {"SLURM_ARRAY_TASK_ID": "7"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert finished.stdout.split() == ["part", FOLDER_OF_PARTS, "--index", "7"]
