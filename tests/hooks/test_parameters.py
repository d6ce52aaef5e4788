"""A parameter that nothing reads is refused with the name that was meant, and so is a network under another's name."""

import logging
from pathlib import Path
from typing import Any

import pytest
from kedro.pipeline import Node, Pipeline
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.parameter_validator import ParameterValidator
from pydantic import BaseModel, RootModel

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.experiments.schedule import BacktestSpec
from rnn_pipelines.forecast.experiments.search_space import TuningSpec
from rnn_pipelines.forecast.methods.training.specs import NetworkSpec
from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.hooks.parameters import (
    check_network_cells,
    check_parameter_names,
    complete_commands,
    explain_faults,
    find_full_names,
)
from rnn_pipelines.lab.compare.specs import TaskBook
from rnn_pipelines.parameter_models import rename_parameters
from rnn_pipelines.printing import escape_log, rewrite_log
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec
from rnn_pipelines.sentiment.text.files import TextFileSpec

INPUTS = ["sales", "params:forecast.window", "params:forecast.lstm", "params:forecast"]
PARAMETERS = {
    "forecast": {"window": {"lookback": 30}, "lstm": {"units": [32]}},
    "sentiment": {"anything": 1},
}


def fail(parameters: dict[str, Any], given: dict[str, Any]) -> str:
    with pytest.raises(ParameterError) as caught:
        check_parameter_names(INPUTS, parameters, given)
    return str(caught.value)


@pytest.mark.parametrize(
    "given", [{}, {"forecast": {"window": {"lookback": 9}}}], ids=["none given", "one given"]
)
def test_known_parameters_pass(given: dict[str, Any]) -> None:
    assert check_parameter_names(INPUTS, PARAMETERS, given) is None


def test_misspelt_block_is_refused_with_the_name_that_was_meant() -> None:
    assert fail({"forecast": {"windw": {}}}, {}) == (
        "Parameter 'forecast.windw' is read by no node of this run. Did you mean 'forecast.window'?"
    )


def test_misspelt_pipeline_is_refused_with_the_name_that_was_meant() -> None:
    assert fail(PARAMETERS, {"forcast": {"window": {}}}) == (
        "Parameter 'forcast' is read by no node of this run. Did you mean 'forecast'?"
    )


def test_name_of_another_library_is_refused_with_ours() -> None:
    assert fail({"forecast": {"input_size": 30}}, {}).endswith(
        "Did you mean 'forecast.window.lookback'?"
    )


def test_unknown_block_is_refused_with_all_names() -> None:
    assert fail({"forecast": {"xyz": {}}}, {}).endswith("Expected one of ['lstm', 'window'].")


def test_parameter_of_another_pipeline_is_refused_if_given() -> None:
    assert "Parameter 'sentiment' is read by no node" in fail(
        PARAMETERS, {"sentiment": {"anything": 2}}
    )


def test_names_of_another_pipeline_are_allowed_in_files() -> None:
    assert check_parameter_names(INPUTS, PARAMETERS | {"sentiment": {"misspelt": 1}}, {}) is None


def test_a_parameter_that_is_a_model_is_known() -> None:
    assert check_parameter_names(["params:monitor"], {"monitor": TextFileSpec()}, {}) is None


def test_cells_of_another_pipeline_are_not_checked() -> None:
    parameters = {"forecast": {"lstm": NetworkSpec(cell="gru")}, "monitor": TextFileSpec()}
    assert check_network_cells(["params:monitor", "sales"], parameters) is None


def test_a_block_must_be_a_block() -> None:
    with pytest.raises(ParameterError, match="expected the blocks"):
        check_parameter_names({"params:forecast.window"}, {"forecast": 3}, {"forecast": 3})


def test_names_of_the_library_become_those_of_the_run() -> None:
    assert rename_parameters("source.tz", INTERNALS) == "internals.small.source.tz"


def test_names_that_two_blocks_have_are_left() -> None:
    assert rename_parameters("source.tz, gaps=split", BOTH) == "source.tz, forecast.gaps=split"


def test_names_of_no_block_are_left() -> None:
    assert rename_parameters("source.tz", {}) == "source.tz"


SPECS = {"forecast": NetworkSpec, "sentiment": ClassifierSpec}


@pytest.mark.parametrize(
    ("pipeline", "block", "cell"), [("forecast", "lstm", "gru"), ("sentiment", "pointwise", "lstm")]
)
def test_block_of_one_cell_that_is_named_after_another_is_refused(
    pipeline: str, block: str, cell: str
) -> None:
    parameters = {pipeline: {block: SPECS[pipeline](cell=cell)}}
    with pytest.raises(
        ParameterError, match=f"'{pipeline}.{block}.cell': expected '{block}', .* received '{cell}'"
    ):
        check_network_cells([f"params:{pipeline}.{block}"], parameters)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param({"lstm": NetworkSpec(cell="lstm")}, id="the same name"),
        pytest.param({"lstm": TextFileSpec()}, id="no cell"),
        pytest.param({"lstm": {"cell": "gru"}}, id="of no type"),
    ],
)
def test_block_that_is_named_rightly_passes(block: dict[str, Any]) -> None:
    assert (
        check_network_cells([f"params:forecast.{name}" for name in block], {"forecast": block})
        is None
    )


def explain(parameters: dict[str, Any], **types: type) -> list[str]:
    """The lines that become of Kedro's message about blocks of `forecast`."""
    validator = ParameterValidator({})
    known = {f"forecast.{name}": kind for name, kind in types.items()}
    with pytest.raises(ParameterValidationError) as caught:
        validator._apply_validation({"forecast": parameters}, known)
    return explain_faults(str(caught.value), known).splitlines()


def test_a_misspelt_name_in_a_block_is_refused_with_the_one_that_was_meant() -> None:
    assert explain({"window": {"horizn": 3}}, window=WindowSpec) == [
        "Parameter 'forecast.window.horizn' is not known. Did you mean 'forecast.window.horizon'?"
    ]


def test_a_misspelt_name_of_a_nested_block_is_refused() -> None:
    parameters = {"retraining": {"policy": {"significanc": 0.1}, "budget": {}}}
    assert explain(parameters, retraining=RetrainForecastSpec) == [
        "Parameter 'forecast.retraining.policy.significanc' is not known. "
        "Did you mean 'forecast.retraining.policy.significance'?"
    ]


def test_a_misspelt_name_in_a_dictionary_is_refused() -> None:
    assert explain({"tuning": {"space": {"gru.units": {"choice": [3]}}}}, tuning=TuningSpec) == [
        "Parameter 'forecast.tuning.space.gru.units.choice' is not known. "
        "Did you mean 'forecast.tuning.space.gru.units.choices'?"
    ]


def test_a_misspelt_name_in_a_task_is_refused() -> None:
    line = explain(
        {"tasks": {"adding": {"contenders": {"gru": {"cell": "gru", "unit": 3}}}}}, tasks=TaskBook
    )[2]
    assert line == (
        "Parameter 'forecast.tasks.adding.contenders.gru.unit' is not known. "
        "Did you mean 'forecast.tasks.adding.contenders.gru.units'?"
    )


def test_an_unknown_key_of_the_space_has_a_line() -> None:
    (line,) = explain({"tuning": {"space": {"lstm": {"units": 5}}}}, tuning=TuningSpec)
    assert line.startswith(
        "Parameter 'forecast.tuning.space': expected some of ['calendar.daily', "
    )
    assert "received ['lstm']" in line


def test_each_fault_has_a_line() -> None:
    parameters = {"window": {"horizon": -1, "lookbak": 3}, "source": {"seed": "x"}}
    assert [
        line.partition(":")[0] for line in explain(parameters, window=WindowSpec, source=SourceSpec)
    ] == [
        "Parameter 'forecast.window.horizon'",
        "Parameter 'forecast.window.lookbak' is not known. Did you mean 'forecast.window.lookback'?",
        "Parameter 'forecast.source.seed'",
    ]


def test_a_number_out_of_range_has_a_line() -> None:
    (line,) = explain({"window": {"horizon": -1}}, window=WindowSpec)
    assert (
        line
        == "Parameter 'forecast.window.horizon': Input should be greater than or equal to 1; received -1."
    )


def test_a_value_of_another_type_has_a_line() -> None:
    (line,) = explain({"window": {"horizon": True}}, window=WindowSpec)
    assert line == "Parameter 'forecast.window.horizon': expected a number, received True."


def test_a_word_that_is_no_choice_has_a_line() -> None:
    (line,) = explain(
        {"backtest": {"period": "decade", "schedules": {"never": {}}}}, backtest=BacktestSpec
    )
    assert line == (
        "Parameter 'forecast.backtest.period': expected day, week, month, year, or a number of steps from 1 on, "
        "received 'decade'."
    )


def test_a_fault_of_a_whole_block_has_a_line() -> None:
    (line,) = explain({"source": {"path": "my.csv", "time": "a", "target": "a"}}, source=SourceSpec)
    assert line == (
        "Parameter 'forecast.source': time, target and id name the same column twice; each needs one of its own."
    )


def test_a_block_without_value_has_a_line() -> None:
    (line,) = explain({"window": None}, window=WindowSpec)
    assert line == "Parameter 'forecast.window': value is None but type is not Optional"


@pytest.mark.parametrize("value", [1.0, 0, -5])
def test_parameter_of_several_kinds_is_refused_once_under_its_name(value: float) -> None:
    (line,) = explain({"split": {"test": value}}, split=SplitSpec)
    assert line == (
        "Parameter 'forecast.split.test': expected a fraction above 0 and below 1, a number of steps from 1 on, or a "
        f"date, received {value}."
    )


# Messages of a run name parameters as users give them.


class Source(BaseModel):
    tz: str = ""
    time: str = ""
    time_format: str = ""


class Gaps(RootModel[str]):
    root: str = ""


class Small(BaseModel):
    source: Source = Source()


class Night(BaseModel):
    as_of: str = ""


def read(source: Source, gaps: Gaps, night: Night) -> int:
    return 0


def look(small: Small) -> int:
    return 0


READ = Node(
    read, ["params:forecast.source", "params:forecast.gaps", "params:night"], "a", name="read"
)
LOOK = Node(look, "params:internals.small", "b", name="look")


FORECAST = find_full_names({"forecast": Pipeline([READ])})
INTERNALS = find_full_names({"internals": Pipeline([LOOK])})
BOTH = find_full_names({"forecast": Pipeline([READ]), "internals": Pipeline([LOOK])})


@pytest.mark.parametrize(
    ("message", "full"),
    [
        ("my.csv: give source.tz.", "my.csv: give forecast.source.tz."),
        ("source.time_format='%Y'", "forecast.source.time_format='%Y'"),
        ("Give gaps=split", "Give forecast.gaps=split"),
        ("as_of is late", "night.as_of is late"),
        ("give forecast.source.tz or night.as_of", "give forecast.source.tz or night.as_of"),
        ("the gaps of a source", "the gaps of a source"),
        ("my/source.tz and source.tzs", "my/source.tz and source.tzs"),
    ],
)
def test_short_names_become_full_ones(message: str, full: str) -> None:
    assert rename_parameters(message, FORECAST) == full


def test_log_of_a_run_has_full_names(tmp_path: Path) -> None:
    """The log of Python's interface has its arguments, see `rewrite_messages`."""
    handler = logging.FileHandler(tmp_path / "log")
    escape_log([handler])
    record = logging.LogRecord("a", logging.WARNING, "a.py", 1, "give %s", ("source.tz",), None)
    rewrite_log([handler], lambda message: rename_parameters(message, FORECAST))
    handler.emit(record)
    rewrite_log([handler])
    handler.emit(record)
    handler.close()
    assert (tmp_path / "log").read_text().split("\n") == [
        "give forecast.source.tz",
        "give source.tz",
        "",
    ]


@pytest.mark.parametrize(
    "command", ["kedro champion retrain forecast", "kedro champion retrain forecast --promote"]
)
def test_command_of_a_message_has_the_parameters_of_the_run(command: str) -> None:
    """Not those of the pipeline that failed, which a retraining does not read."""
    given = {
        "forecast": {"source": {"path": "my sales.csv", "tz": None}},
        "predict_forecast": {"as_of": 5},
    }
    options = "--env=test '--params=forecast.source.path=my sales.csv,forecast.source.tz=null'"
    once = complete_commands(f"Run {command}.", "test", given)
    assert once == f"Run {command} {options}."
    assert complete_commands(once, "test", {}) == once
