"""The page of a trained network: its weights and windows as numbers, and the scripts that compute with them."""

import base64
import json
import logging
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from markupsafe import Markup

from rnn_pipelines.report.page import Section, render_page

logger = logging.getLogger(__name__)

# COMPUTATION holds the forecast passes, and VIEW draws them.
COMPUTATION = ("cells.js", "pretrained.js", "memory.js", "windows.js", "texts.js")
VIEW = ("charts.js", "view.js")
# The largest page, and the part of it that is neither script nor content.
MAX_BYTES, FRAME_BYTES = 500_000, 12_000


def render_explorer(
    title: str, verdict: str, content: Mapping[str, Any], sections: Mapping[str, str]
) -> str:
    """Return the page, which loads nothing else.

    Args:
        title, verdict: with `{names}` in the place of the names of the networks.
        content: the data of the scripts, see `encode_content`.
        sections: the headings, by the name of the part of the page that the scripts fill.
    """
    style = Markup("<style>{}</style>").format(Markup(read_scripts(["style.css"])))
    code = Markup("<script>{}</script>").format(Markup(read_scripts([*COMPUTATION, *VIEW])))
    chosen = choose_content(content, MAX_BYTES - FRAME_BYTES - len(style) - len(code))
    names = " and ".join(network["label"] for network in chosen["networks"])
    data = Markup('<script type="application/json" id="content">{}</script>').format(
        Markup(encode_content(chosen))
    )
    parts = [Section(heading, [_place(name)]) for name, heading in sections.items()]
    last = Section(parts[-1].title, [*parts[-1].parts, style, data, code])
    return render_page(title.format(names=names), verdict.format(names=names), [*parts[:-1], last])


def choose_content(content: Mapping[str, Any], max_bytes: int) -> dict[str, Any]:
    """Return the content without the vocabulary, the largest networks and the first windows, if it needs more bytes.

    One network and one window stay in any case. Texts of the reader's own need a vocabulary and all networks.
    """
    chosen = dict(content)
    left_out = []
    if len(encode_content(chosen)) > max_bytes and chosen.pop("vocabulary", None):
        left_out.append("words for texts of your own")
    while len(encode_content(chosen)) > max_bytes and len(chosen["networks"]) > 1:
        # The pretrained network, which has a base, gives way to those that the reader trained.
        largest = max(
            chosen["networks"],
            key=lambda network: ("base" in network, len(encode_content(network))),
        )
        left_out.append(f"the weights of {largest['label']}")
        chosen["networks"] = [network for network in chosen["networks"] if network is not largest]
        for window in chosen["windows"]:
            window.get("vectors", {}).pop(largest["name"], None)
        if not any("base" in network for network in chosen["networks"]):
            chosen["windows"] = [_drop_past(window) for window in chosen["windows"]]
    while len(encode_content(chosen)) > max_bytes and len(chosen["windows"]) > 1:
        chosen["windows"] = chosen["windows"][1:]
    if left_out:
        logger.warning("the page would be too large with %s", " and ".join(left_out))
    return chosen


def _drop_past(window: Mapping[str, Any]) -> dict[str, Any]:
    """Return the window without the past that only the pretrained network reads."""
    return {name: value for name, value in window.items() if name not in {"earlier", "days"}}


def _place(name: str) -> Markup:
    return Markup('<div id="{}"><noscript>This part needs JavaScript.</noscript></div>').format(
        name
    )


def encode_content(content: Mapping[str, Any]) -> str:
    """Return the content as JSON that is safe inside a script.

    Arrays are base64 of little-endian bytes, float16 if they are that, else float32.
    """
    text = json.dumps(content, default=_encode_array, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _encode_array(array: Any) -> dict[str, Any]:
    if not isinstance(array, np.ndarray):
        return array.item()  # a number of NumPy
    name, form = ("float16", "<f2") if array.dtype == np.float16 else ("float32", "<f4")
    packed = base64.b64encode(array.astype(form).tobytes()).decode()
    return {"shape": array.shape, name: packed}


def read_scripts(names: Sequence[str]) -> str:
    """Return files of this package, one after another."""
    return "\n".join(
        files(__package__).joinpath(name).read_text(encoding="utf-8") for name in names
    )
