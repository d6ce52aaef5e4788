"""Non-negative least squares give the solutions of SciPy, also for nearly equal columns and heavy rows."""

import numpy as np
import pytest
from scipy.optimize import nnls

from rnn_pipelines.forecast.methods.nnls import solve_nnls
from rnn_pipelines.networks.specs import Seed

NUM_PROBLEMS = 60


def draw(seed: Seed, number: int, num_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A problem of `weights._solve`: correlated columns, and a heavy row that makes the sum 1."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(num_rows, 1)) + 10.0 ** rng.uniform(-3, 1) * rng.normal(
        size=(num_rows, number)
    )
    matrix = np.vstack([columns, np.full(number, 1e4)])
    goal = np.append(rng.normal(size=num_rows), 1e4)
    return matrix, goal


@pytest.mark.parametrize("number", [1, 2, 5, 14])
def test_solutions_are_those_of_scipy(number: int) -> None:
    for seed in range(NUM_PROBLEMS):
        matrix, goal = draw(seed, number, number + 3)
        expected, residual = nnls(matrix, goal)
        found = solve_nnls(matrix, goal)
        assert (found >= 0).all()
        np.testing.assert_allclose(
            np.linalg.norm(matrix @ found - goal), residual, rtol=1e-6, atol=1e-6
        )
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_goal_on_the_other_side_gives_zeros() -> None:
    np.testing.assert_array_equal(solve_nnls(np.eye(3), -np.ones(3)), 0)


def test_goal_inside_is_reached() -> None:
    matrix = np.random.default_rng(0).uniform(size=(6, 4))
    np.testing.assert_allclose(solve_nnls(matrix, matrix @ [1.0, 0, 2, 3]), [1, 0, 2, 3], atol=1e-9)
