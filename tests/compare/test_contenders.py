"""Networks of a task have equal budgets, and a cell that is registered takes part."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from golden import has_in_order
from rnn_pipelines.compare.contenders import ContenderSpec, check_budgets
from rnn_pipelines.compare.specs import TaskBook
from rnn_pipelines.errors import TaskError

NUM_INPUTS = {"series": 1, "adding": 2, "copy": 10, "music": 88}


def make_contenders(**units: int) -> dict[str, ContenderSpec]:
    return {cell: ContenderSpec(cell=cell, units=number) for cell, number in units.items()}


def test_budgets_are_the_weights_of_kernel_recurrent_kernel_and_bias() -> None:
    """Simple RNN u(m + u + 1), LSTM four times as many, GRU three times u(m + u + 2)."""
    found = check_budgets("mine", make_contenders(rnn=17, lstm=8, gru=9), 2)
    assert found == {"rnn": 17 * 20, "lstm": 4 * 8 * 11, "gru": 3 * 9 * 13}


def test_unequal_budgets_are_refused_with_all_numbers() -> None:
    with pytest.raises(TaskError) as caught:
        check_budgets("mine", make_contenders(rnn=90, lstm=50, gru=57), 2)
    facts = ("'mine'", "6 %", "rnn 8,370, lstm 10,600, gru 10,431", "2 inputs", "compare.tasks.mine.contenders")
    assert has_in_order(str(caught.value), *facts)


@pytest.mark.parametrize(("units", "is_refused"), [(47, False), (46, True)])
def test_budgets_may_differ_by_6_percent_of_the_largest(units: int, is_refused: bool) -> None:
    """Simple RNNs of 2,400, 2,303 and 2,208 weights: 96 % and 92 % of the largest."""
    contenders = {name: ContenderSpec(cell="rnn", units=number) for name, number in (("one", 48), ("other", units))}
    if is_refused:
        with pytest.raises(TaskError, match="within 6 %"):
            check_budgets("mine", contenders, 1)
    else:
        assert len(check_budgets("mine", contenders, 1)) == 2


@pytest.mark.parametrize("environment", ["base", "test"])
def test_all_tasks_have_equal_budgets(project: Path, environment: str) -> None:
    files = [project / f"conf/{name}/parameters_compare.yml" for name in dict.fromkeys(["base", environment])]
    parameters: Any = OmegaConf.to_container(OmegaConf.merge(*(OmegaConf.load(file) for file in files)))
    for name, task in TaskBook.model_validate(parameters["compare"]["tasks"]).root.items():
        assert check_budgets(name, task.contenders, NUM_INPUTS[task.data.kind])
