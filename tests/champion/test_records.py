"""What stays on record is plain JSON."""

import math

from rnn_pipelines.champion.records import make_plain


def test_numbers_that_json_has_no_name_for_become_none() -> None:
    value = {"a": [math.nan, 1.0, {"b": -math.inf}], "c": (math.inf, "text", None, 3)}
    assert make_plain(value) == {"a": [None, 1.0, {"b": None}], "c": [None, "text", None, 3]}
