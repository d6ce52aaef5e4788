"""What a run prints fits a terminal."""

import pytest

from rnn_pipelines.report.terminal import WIDTH, align_columns, wrap_lines


@pytest.mark.parametrize("num_letters", range(WIDTH - 8, WIDTH + 1))
def test_percent_sign_stays_with_its_number(num_letters: int) -> None:
    text = f"{num_letters * 'x'} 26.9 % to 49.4 %"
    lines = wrap_lines(text).splitlines()
    assert " ".join(lines) == text
    assert not any(line.startswith("%") for line in lines)
    assert max(map(len, lines)) <= WIDTH


def test_words_stand_to_the_left_and_numbers_to_the_right() -> None:
    assert align_columns([["name", "x"], ["a", "10"]]) == "name   x\na     10"
