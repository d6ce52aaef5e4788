"""Forecasts that were just made are kept, up to a number of bytes."""

import numpy as np
import pytest

from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.network import RecentArrays
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec


def test_an_array_is_computed_once() -> None:
    recent = RecentArrays(1000)
    first = recent.get(b"a", lambda: np.ones(3))
    assert recent.get(b"a", lambda: np.zeros(3)) is first


def test_arrays_that_are_too_large_together_are_dropped() -> None:
    recent = RecentArrays(100)
    recent.get(b"a", lambda: np.ones(10))
    recent.get(b"b", lambda: np.ones(10))
    assert recent.get(b"a", lambda: np.zeros(10)).sum() == 0


def test_an_array_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        RecentArrays(100).get(b"a", lambda: np.ones(3))[0] = 2


def test_networks_with_other_weights_have_other_forecasts() -> None:
    past = np.random.default_rng(0).normal(size=(2, 50)).cumsum(axis=1)
    gru, lstm = (load_network(PretrainedSpec(network=cell)) for cell in ("gru", "lstm"))
    assert gru.digest != lstm.digest
    assert not np.allclose(gru.extend(past, 7, 5), lstm.extend(past, 7, 5))
