"""Checkpoint files of interrupted trainings: arrays, and a state as JSON; does not import Keras."""

import io
import json
import logging
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

logger = logging.getLogger(__name__)


def write_checkpoint(path: Path, state: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically. It is not forced to disk: if a power cut damages it, the training starts again.

    The state contains the `fingerprint` of the data and of all settings; no array has the name `state`.
    """
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, state=np.array(json.dumps(state)), **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(packed.getvalue())
    os.replace(temporary, path)


def read_checkpoint(path: Path, fingerprint: str) -> tuple[Any, dict[str, np.ndarray]] | None:
    """Return state and arrays; None if the file is missing, damaged or of a training with another fingerprint."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        state = json.loads(str(arrays.pop("state")))
    except FileNotFoundError:
        return None
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        logger.warning("%s: left out, because it is damaged (%s)", path, error)
        return None
    if state["fingerprint"] != fingerprint:
        logger.info("%s: left out, because it is of other data or settings", path)
        return None
    return state, arrays
