"""The files of pretrained networks: those of the package, or those of a folder that the user names."""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from rnn_pipelines.errors import ParameterError, make_line
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork, unpack
from rnn_pipelines.networks.packing import unpack_arrays
from rnn_pipelines.parameter_models import ParameterModel

PACKAGED = Path(__file__).parent / "weights"
CARD = "card.json"


class PretrainedSpec(ParameterModel, frozen=True):
    """The pretrained network. `false` stands for `is_used: false`.

    Attributes:
        is_used: whether it is one of the methods.
        is_alone: whether no network is trained on the table.
        cell: of its recurrence, `gru` or `lstm`.
        path: folder that `kedro run --pipelines=pretrain` wrote; None for the network of the package.
    """

    is_used: bool = True
    is_alone: bool = False
    cell: Literal["gru", "lstm"] = "gru"
    path: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_switch(cls, block: Any) -> Any:
        return {"is_used": block} if isinstance(block, bool) else block


def load_network(spec: PretrainedSpec) -> PretrainedNetwork:
    """Read a network.

    Raises:
        ParameterError: the files are missing, or are not those that the card describes.
    """
    return _load(spec.cell, PACKAGED if spec.path is None else Path(spec.path))


@cache
def _load(cell: str, folder: Path) -> PretrainedNetwork:
    name = f"pretrained_{cell}.npz"
    try:
        card, content = json.loads((folder / CARD).read_text()), (folder / name).read_bytes()
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"pretrained.path: {make_line(str(folder))}: {CARD} and {name} can't be read ({error}). Name the folder "
            "that kedro run --pipelines=pretrain wrote."
        ) from error
    if sha256(content).hexdigest() != card["networks"][cell]["sha256"]:
        raise ParameterError(f"pretrained.path: {make_line(str(folder / name))} is not the file that {CARD} describes.")
    return unpack(unpack_arrays(content))
