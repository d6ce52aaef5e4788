"""Weights make a convex combination of least error; trust is as great as folds agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from rnn_pipelines.forecast.methods import weights as blending
from rnn_pipelines.forecast.methods.weights import Loss, find_shrinkage, find_weights

MANY = 1e4  # windows that say something of their own


def draw_errors(num_candidates: int = 4, num_values: int = 200, seed: int = 0) -> np.ndarray:
    """Of unequal size, and correlated as those of forecasters are."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=num_values)
    return (
        np.linspace(1, 2, num_candidates)[:, None] * rng.normal(size=(num_candidates, num_values))
        + 0.5 * common
    )


@pytest.fixture
def no_pull(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights by the errors alone."""
    monkeypatch.setattr(blending, "PULL", 0.0)
    monkeypatch.setattr(blending, "PULL_OF_FEW", 0.0)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
@given(
    seed=st.integers(0, 1000),
    num_candidates=st.integers(1, 8),
    num_values=st.integers(1, 30),
    num_independent=st.floats(0, 1e3),
)
def test_weights_are_convex(
    loss: Loss, seed: int, num_candidates: int, num_values: int, num_independent: float
) -> None:
    weights = find_weights(draw_errors(num_candidates, num_values, seed), num_independent, loss)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
@given(seed=st.integers(0, 1000), num_candidates=st.integers(2, 8), num_others=st.integers(0, 3))
def test_weights_of_errors_that_are_nearly_all_zero_are_convex(
    loss: Loss, seed: int, num_candidates: int, num_others: int
) -> None:
    errors = np.zeros((num_candidates, 200))
    errors[:, :num_others] = draw_errors(num_candidates, num_others or 1, seed)[:, :num_others]
    errors[-1] = 0
    weights = find_weights(errors, 50, loss)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.usefixtures("no_pull")
def test_weights_are_those_of_another_solver(seed: int) -> None:
    errors = draw_errors(seed=seed)
    found = minimize(
        lambda weights: np.mean((weights @ errors) ** 2),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-12},
    )
    np.testing.assert_allclose(find_weights(errors, MANY), found.x, atol=1e-3)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
@pytest.mark.usefixtures("no_pull")
def test_combination_without_error_is_found(loss: Loss) -> None:
    """A quarter of one error and three quarters of the other are nothing."""
    error = np.random.default_rng(0).normal(size=100)
    weights = find_weights(np.stack([3 * error, -error]), MANY, loss)
    np.testing.assert_allclose(weights, [0.25, 0.75], atol=1e-4)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
def test_equal_candidates_have_equal_weights(loss: Loss) -> None:
    error = np.random.default_rng(0).normal(size=100)
    np.testing.assert_allclose(
        find_weights(np.stack([error] * 3), MANY, loss), [1 / 3] * 3, rtol=1e-4
    )


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
def test_exact_candidates_have_equal_weights(loss: Loss) -> None:
    np.testing.assert_allclose(find_weights(np.zeros((3, 10)), MANY, loss), [1 / 3] * 3)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
def test_noisy_candidate_has_nearly_no_weight(loss: Loss) -> None:
    good, bad = draw_errors(2)
    assert find_weights(np.stack([good, good + 20 * bad]), MANY, loss)[1] < 0.02


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_unit_of_the_errors_does_not_matter(loss: Loss, factor: float) -> None:
    errors = draw_errors()
    expected = find_weights(errors, 50, loss)
    np.testing.assert_allclose(find_weights(factor * errors, 50, loss), expected, atol=1e-5)


def test_absolute_errors_resist_an_outlier() -> None:
    """The better candidate is far off once."""
    errors = draw_errors(2, 400)
    errors[0] *= 0.2
    errors[0, 7] = 100.0
    squared, absolute = (find_weights(errors, MANY, loss)[0] for loss in ("squared", "absolute"))
    assert squared < 0.3
    assert absolute > 0.8


def test_huber_weights_without_an_outlier_are_those_of_squares() -> None:
    errors = draw_errors(seed=3)
    np.testing.assert_allclose(
        find_weights(errors, MANY, "huber"), find_weights(errors, MANY), atol=1e-6
    )


def test_huber_errors_resist_an_outlier() -> None:
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(2, 400)) * np.array([[1.0], [1.5]])
    errors[0, 0] = 60
    assert find_weights(errors, MANY, "huber")[0] > find_weights(errors, MANY)[0] + 0.1


def test_errors_are_not_changed() -> None:
    errors = draw_errors()
    before = errors.copy()
    find_weights(errors, 50, loss="absolute")
    np.testing.assert_array_equal(errors, before)


@pytest.mark.usefixtures("no_pull")
def test_absolute_weights_have_the_least_absolute_error() -> None:
    """Of all on a fine grid."""
    errors = draw_errors(2)
    errors[1, ::9] *= 8
    shares = np.linspace(0, 1, 201)
    least = min(np.abs(share * errors[0] + (1 - share) * errors[1]).mean() for share in shares)
    assert np.abs(find_weights(errors, MANY, loss="absolute") @ errors).mean() == pytest.approx(
        least, rel=0.01
    )


def guess_weights(errors: np.ndarray) -> np.ndarray:
    """As much as one over the fourth power of the squared error."""
    quality = np.mean(errors**2, axis=1) ** -4.0
    return quality / quality.sum()


def test_few_windows_pull_the_weights_to_a_guess() -> None:
    errors = draw_errors()
    distances = [
        np.linalg.norm(find_weights(errors, number) - guess_weights(errors))
        for number in (3, 30, 300, 3000)
    ]
    assert distances == sorted(distances)
    assert distances[0] < 0.5 * distances[-1]


def test_huber_errors_discount_large_errors() -> None:
    rng = np.random.default_rng(0)
    errors = rng.uniform(-1, 1, (2, 400)) * np.array([[1.0], [1.5]])
    errors[0, ::80] = 8
    huber = find_weights(errors, MANY, "huber")
    squared = find_weights(errors, MANY)
    sizes = np.abs(squared @ errors)
    assert 5 < sizes.max() / sizes.mean() < 7
    assert huber[0] > squared[0] + 0.02


@pytest.mark.parametrize("num_candidates", [2, 4, 8])
@pytest.mark.parametrize("num_independent", [2.0, 20.0, 2000.0])
def test_pulled_weights_are_those_of_another_solver(
    num_candidates: int, num_independent: float
) -> None:
    """Of the squared error and the squared distance, in units of the smallest error."""
    errors = draw_errors(num_candidates)
    pull = 0.02 + 2 * num_candidates / num_independent
    goal = guess_weights(errors)
    unit = np.mean(errors**2, axis=1).min()
    found = minimize(
        lambda weights: (
            np.mean((weights @ errors) ** 2) + pull * unit * np.sum((weights - goal) ** 2)
        ),
        np.full(num_candidates, 1 / num_candidates),
        bounds=[(0, 1)] * num_candidates,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-12},
    )
    np.testing.assert_allclose(find_weights(errors, num_independent), found.x, atol=1e-3)


@pytest.mark.parametrize("num_independent", [0.0, 1.0, 30.0, MANY])
def test_error_is_no_greater_than_that_of_the_weights_it_is_pulled_to(
    num_independent: float,
) -> None:
    errors = draw_errors()
    found, guessed = (
        weights @ errors
        for weights in (find_weights(errors, num_independent), guess_weights(errors))
    )
    assert np.mean(found**2) <= np.mean(guessed**2)


def test_loss_has_no_weight() -> None:
    assert find_shrinkage(np.array([-1.0, -2.0, -1.5])) == 0


def test_no_gain_has_no_weight() -> None:
    assert find_shrinkage(np.zeros(5)) == 0


def test_certain_gain_has_full_weight() -> None:
    assert find_shrinkage(np.array([1.0, 1.01, 0.99, 1.0, 1.0])) > 0.999


def test_gain_of_its_standard_error_has_half_the_weight() -> None:
    assert find_shrinkage(np.array([1.0, 0.0, 0.0, 0.0, 0.0])) == pytest.approx(0.5)


def test_shrinkage_is_that_of_the_t_statistic() -> None:
    gains = np.array([1.0, 2.0, 4.0])
    squared = gains.mean() ** 2 / (gains.var(ddof=1) / 3)
    assert find_shrinkage(gains) == pytest.approx(squared / (1 + squared))


def test_single_gain_has_no_weight() -> None:
    assert find_shrinkage(np.array([5.0])) == 0


def test_shrinkage_does_not_depend_on_the_unit() -> None:
    gains = np.array([1.0, 2.0, 4.0])
    assert find_shrinkage(1e6 * gains) == pytest.approx(find_shrinkage(gains))
