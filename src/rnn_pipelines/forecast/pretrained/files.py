"""The files of pretrained networks: those of the package, or those of a folder that the user names."""

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from rnn_pipelines.errors import ParameterError, make_line
from rnn_pipelines.forecast.pretrained.kinds import KINDS, OTHER_SEASONS
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec, PretrainSpec
from rnn_pipelines.storage.arrays import pack_arrays, unpack_arrays
from rnn_pipelines.version import __version__

PACKAGED = Path(__file__).parent / "weights"
CARD = "card.json"


def load_network(spec: PretrainedSpec) -> PretrainedNetwork:
    """Read a network; raise a ParameterError if its files are missing, or are not those that the card describes."""
    return _load(spec.network, PACKAGED if spec.path is None else Path(spec.path))


def load_used_network(spec: PretrainedSpec) -> PretrainedNetwork | None:
    """Read the network, see `load_network`; None if it is not used."""
    return load_network(spec) if spec.is_used else None


@cache
def _load(cell: str, folder: Path) -> PretrainedNetwork:
    name = f"pretrained_{cell}.npz"
    try:
        content = (folder / name).read_bytes()
        expected = json.loads((folder / CARD).read_text())["networks"][cell]["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ParameterError(
            f"pretrained.path: {make_line(str(folder))}: {CARD} and {name} can't be read ({error}). Name the folder "
            "that kedro run --pipelines=pretrain wrote."
        ) from error
    if sha256(content).hexdigest() != expected:
        raise ParameterError(
            f"pretrained.path: {make_line(str(folder / name))} is not the file that {CARD} describes."
        )
    return PretrainedNetwork.from_arrays(unpack_arrays(content))


def describe_pretrained(
    spec: PretrainSpec, metrics: Mapping[str, Any], **networks: PretrainedNetwork
) -> dict[str, Any]:
    """Return the card of networks: their checksums, their training, their errors, and their limits."""
    arrays = {cell: network.to_arrays() for cell, network in networks.items()}
    sums = {cell: sha256(pack_arrays(own)).hexdigest() for cell, own in arrays.items()}
    sizes = {cell: sum(array.size for array in own.values()) for cell, own in arrays.items()}
    seasons = [str(season) for season in (*KINDS, *OTHER_SEASONS) if season]
    return {
        "version": __version__,
        "networks": {cell: {"sha256": sums[cell], "num_weights": sizes[cell]} for cell in arrays},
        "training": spec.model_dump(mode="json"),
        "metrics": dict(metrics),
        "learnt": f"generated series with seasons of {', '.join(seasons)}",
        "never_learnt": ["real series", "covariates", "calendars and holidays", "gaps"],
    }
