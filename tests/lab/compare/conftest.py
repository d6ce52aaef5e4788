"""A folder of made-up music."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with JSB_Chorales.mat, in which a few rolls of 88 notes have several lengths; Nottingham is missing."""
    random = np.random.default_rng(0)
    variables = {}
    for name, lengths in {
        "traindata": (5, 12, 7, 9),
        "validdata": (4, 8),
        "testdata": (6, 3),
    }.items():
        variables[name] = np.empty((1, len(lengths)), object)
        variables[name][0] = [
            (random.random((length, 88)) < 0.05).astype(np.uint8) for length in lengths
        ]
    folder = tmp_path_factory.mktemp("music")
    savemat(folder / "JSB_Chorales.mat", variables)
    return folder
