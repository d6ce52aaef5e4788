"""The tests that a change can reach are found by imports, fixtures and whole runs."""

from pathlib import Path

import pytest

from changed import ALWAYS, TESTS, choose_tests, find_tests, list_reached

SOURCE = TESTS.parent / "src/rnn_pipelines"


def test_the_nearest_tests_come_first() -> None:
    tests = find_tests({"rnn_pipelines.cells.gru"})
    nearest = find_tests({"rnn_pipelines.cells.gru"}, max_distance=0)
    assert TESTS / "cells/test_gru.py" in nearest
    assert tests[: len(nearest)] == nearest
    assert len(nearest) < len(tests)


def test_a_test_reaches_the_modules_of_its_fixtures() -> None:
    """`tests/cells/test_gru.py` names `make_weights`, and its conftest imports what that calls."""
    assert "rnn_pipelines.cells.registry" in list_reached(TESTS / "cells/test_gru.py")


def test_a_whole_run_reaches_every_pipeline() -> None:
    assert "rnn_pipelines.pipelines.forecast.nodes" in list_reached(TESTS / "test_run.py")


@pytest.mark.parametrize(
    ("changed", "test"),
    [
        (TESTS / "cells/test_gru.py", TESTS / "cells/test_gru.py"),
        (TESTS / "cells/conftest.py", TESTS / "cells/test_gru.py"),
        (TESTS / "champion/golden/overview.txt", TESTS / "champion/test_report.py"),
        (TESTS / "support/cell_weights.py", TESTS / "cells/test_keras.py"),
        (SOURCE / "cells/gru.py", TESTS / "cells/test_gru.py"),
    ],
    ids=str,
)
def test_tests_of_a_changed_file_are_chosen(changed: Path, test: Path) -> None:
    assert test in choose_tests([changed])


def test_the_contracts_are_chosen_with_any_change() -> None:
    assert choose_tests([TESTS.parent / "README.md"]) == [ALWAYS]


def test_nothing_is_chosen_without_a_change() -> None:
    assert choose_tests([]) == []
