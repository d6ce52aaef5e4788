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


EVIL = "</script><!--"


def test_arrays_are_float32() -> None:
    content = json.loads(encode_content({"numbers": np.array([[1.0, 2.0]])}))
    assert content["numbers"] == {"shape": [1, 2], "float32": "AACAPwAAAEA="}


def test_no_text_ends_the_script() -> None:
    assert "<" not in encode_content({"text": EVIL})


@pytest.mark.parametrize(("value", "expected"), [(EVIL, EVIL), (np.int64(3), 3)])
def test_values_come_back(value: object, expected: object) -> None:
    assert json.loads(encode_content({"value": value})) == {"value": expected}


@pytest.mark.parametrize(
    ("room", "names", "numbers"),
    [
        (10**6, ["lstm", "gru"], [0, 1, 2, 3, 4]),
        (15_000, ["gru"], [0, 1, 2, 3, 4]),
        (7_000, ["gru"], [3, 4]),
    ],
)
def test_the_largest_network_is_left_out_before_windows(
    room: int, names: list[str], numbers: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        chosen = choose_content(make_content((4_000, 1_000)), room)
    assert [network["name"] for network in chosen["networks"]] == names
    assert [window["number"] for window in chosen["windows"]] == numbers


@pytest.mark.parametrize(
    ("room", "names"), [(10**6, ["lstm", "gru"]), (15_000, ["gru"]), (7_000, ["gru"])]
)
def test_windows_have_the_chosen_networks(room: int, names: list[str]) -> None:
    chosen = choose_content(make_content((4_000, 1_000)), room)
    assert all(list(window["vectors"]) == names for window in chosen["windows"])


@pytest.mark.parametrize(("room", "is_left_out"), [(10**6, False), (15_000, True)])
def test_a_network_that_is_left_out_is_logged(
    room: int, is_left_out: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        choose_content(make_content((4_000, 1_000)), room)
    assert ("LSTM" in caplog.text) == is_left_out


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
