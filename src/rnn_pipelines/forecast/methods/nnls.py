"""Non-negative least squares without SciPy's optimisers, whose import takes longer than all solutions of a run."""

import numpy as np

# A gradient below this part of the largest correlation is rounding.
TOLERANCE = 1e-16
# Columns enter at most so often each; in exact arithmetic, the loop ends on its own.
MAX_ENTRIES = 10


def solve_nnls(matrix: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Return the x ≥ 0 with the least |matrix x − goal|: float64[column]. The matrix has full column rank.

    Source: the active-set method of Lawson & Hanson (1974), Solving Least Squares Problems, chapter 23.
    """
    found = np.zeros(matrix.shape[1])
    is_free = np.zeros(matrix.shape[1], bool)
    smallest = TOLERANCE * np.abs(matrix).max(initial=0) * np.abs(goal).max(initial=0) * len(goal)
    for _ in range(MAX_ENTRIES * len(found)):
        gradient = np.where(is_free, -np.inf, matrix.T @ (goal - matrix @ found))
        entering = int(gradient.argmax())
        if not gradient[entering] > smallest:
            break
        is_free[entering] = True
        while True:
            solved = np.zeros_like(found)
            solved[is_free] = np.linalg.lstsq(matrix[:, is_free], goal)[0]
            is_low = is_free & (solved <= 0)
            if not is_low.any():
                break
            # As far towards the solution as no value becomes negative; the first one that would is fixed at 0.
            parts = np.where(is_low, found / np.where(is_low, found - solved, 1), np.inf)
            found = np.maximum(found + parts.min() * (solved - found), 0)
            is_free &= (parts > parts.min()) & (found > 0)
        found = solved
    return found
