"""The page of the explorer: what is encoded, and what has room."""

import json
import logging
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.report.explorer.page import (
    FRAME_BYTES,
    choose_content,
    encode_content,
    read_scripts,
)
from rnn_pipelines.report.page import render_page

NAMES = ("lstm", "gru")


def make_content(sizes: tuple[int, int]) -> dict[str, Any]:
    networks = [
        {"name": name, "label": name.upper(), "weights": np.zeros(size)}
        for name, size in zip(NAMES, sizes, strict=True)
    ]
    windows = [
        {"number": number, "vectors": dict.fromkeys(NAMES, np.zeros(100))} for number in range(5)
    ]
    return {"networks": networks, "windows": windows}


def test_arrays_are_float32_and_no_text_ends_the_script() -> None:
    text = encode_content(
        {"text": "</script><!--", "numbers": np.array([[1.0, 2.0]]), "count": np.int64(3)}
    )
    assert "<" not in text
    found = json.loads(text)
    assert found["text"] == "</script><!--"
    assert found["numbers"] == {"shape": [1, 2], "float32": "AACAPwAAAEA="}
    assert found["count"] == 3


@pytest.mark.parametrize(
    ("room", "names", "numbers"),
    [
        (10**6, ["lstm", "gru"], [0, 1, 2, 3, 4]),
        (15_000, ["gru"], [0, 1, 2, 3, 4]),
        (7_000, ["gru"], [3, 4]),
    ],
)
def test_the_largest_network_and_then_the_first_windows_are_left_out(
    room: int, names: list[str], numbers: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        chosen = choose_content(make_content((4_000, 1_000)), room)
    assert [network["name"] for network in chosen["networks"]] == names
    assert [window["number"] for window in chosen["windows"]] == numbers
    assert all(list(window["vectors"]) == names for window in chosen["windows"])
    assert ("LSTM" in caplog.text) == (len(names) == 1)


def test_the_pretrained_network_is_left_out_before_those_of_the_reader() -> None:
    content = make_content((1_000, 4_000))
    content["networks"][0]["base"] = "last value"
    content["windows"][0] |= {"earlier": np.zeros(10), "days": np.zeros(10)}
    chosen = choose_content(content, 18_000)
    assert [network["name"] for network in chosen["networks"]] == [NAMES[1]]
    # Only that network reads values before the window.
    assert list(chosen["windows"][0]) == ["number", "vectors"]


def test_frame_is_what_a_page_without_content_needs() -> None:
    assert (
        len(render_page("The gates of LSTM and GRU on texts", "v" * 300, []).encode()) < FRAME_BYTES
    )


@pytest.mark.parametrize("name", ["cells.js", "pretrained.js", "memory.js"])
def test_forward_pass_has_at_most_150_lines(name: str) -> None:
    assert len(read_scripts([name]).splitlines()) <= 150
