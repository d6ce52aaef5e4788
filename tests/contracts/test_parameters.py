"""Every block of parameters has a type that Kedro checks before a run, and stands in full where people look for it."""

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
from kedro.framework.context import KedroContext
from kedro.pipeline import Pipeline
from kedro.validation.type_extractor import TypeExtractor
from omegaconf import OmegaConf
from pydantic import BaseModel, RootModel, ValidationError

from rnn_pipelines.forecast.experiments.cross_validation import CrossValidationSpec
from rnn_pipelines.forecast.experiments.schedule import BacktestSpec
from rnn_pipelines.forecast.experiments.search_space import TuningSpec
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.in_use import UseSpec
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.model.paths import PathsSpec
from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.operations.verdict import MonitorForecastSpec
from rnn_pipelines.forecast.partitions.champion import PredictSpec
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec, PretrainSpec
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.totals.reconciling import ReconcileSpec
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, OpenWindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.lab.compare.specs import PlanSpec, TaskBook
from rnn_pipelines.lab.internals.specs import (
    SampleSpec,
    SmallClassifierSpec,
    TracedReviewsSpec,
    TracedSeriesSpec,
)
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec, RetrainSentimentSpec
from rnn_pipelines.sentiment.operations.monitoring import MonitorSentimentSpec
from rnn_pipelines.sentiment.operations.reference import PredictSentimentSpec
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec
from rnn_pipelines.sentiment.text.splits import ReviewSplitSpec
from rnn_pipelines.sentiment.text.vectors import WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec

TYPES: dict[str, type[BaseModel]] = {
    "forecast.source": SourceSpec,
    "forecast.partitions": PartitionSpec,
    "forecast.gaps": GapPolicy,
    "forecast.breaks": BreakPolicy,
    "forecast.split": SplitSpec,
    "forecast.window": OpenWindowSpec,
    "forecast.calendar": CalendarSpec,
    "forecast.covariates": CovariateSpec,
    "forecast.lstm": NetworkSpec,
    "forecast.gru": NetworkSpec,
    "forecast.training": ForecastTrainingSpec,
    "forecast.evaluation": EvaluationSpec,
    "forecast.level": LevelSpec,
    "forecast.use": UseSpec,
    "forecast.paths": PathsSpec,
    "forecast.totals": TotalsSpec,
    "forecast.reconcile": ReconcileSpec,
    "forecast.pretrained": PretrainedSpec,
    "sentiment.source": ReviewSourceSpec,
    "sentiment.split": ReviewSplitSpec,
    "sentiment.vocabulary": VocabularySpec,
    "sentiment.padding": PaddingSpec,
    "sentiment.word_vectors": WordVectorSpec,
    "sentiment.ngrams": NgramSpec,
    "sentiment.lstm": ClassifierSpec,
    "sentiment.gru": ClassifierSpec,
    "sentiment.pointwise": ClassifierSpec,
    "sentiment.training": TrainingSpec,
    "predict_sentiment": PredictSentimentSpec,
    "predict_forecast": PredictSpec,
    "retrain_forecast": RetrainForecastSpec,
    "retrain_sentiment": RetrainSentimentSpec,
    "monitor_forecast": MonitorForecastSpec,
    "backtest_forecast": BacktestSpec,
    "cross_validate_forecast": CrossValidationSpec,
    "tune_forecast": TuningSpec,
    "pretrain": PretrainSpec,
    "monitor_sentiment": MonitorSentimentSpec,
    "compare.tasks": TaskBook,
    "compare.plan": PlanSpec,
    "parallel": ParallelSpec,
    "internals.sample": SampleSpec,
    "internals.series": TracedSeriesSpec,
    "internals.reviews": TracedReviewsSpec,
    "internals.classifier": SmallClassifierSpec,
}


@pytest.fixture(scope="module")
def types(registered: dict[str, Pipeline]) -> dict[str, type[BaseModel]]:
    """What Kedro holds the parameters against; one type hint that it can't resolve, and a whole node is missing."""
    return TypeExtractor(registered).extract_types_from_pipelines()


def test_every_type_is_found(types: dict[str, type[BaseModel]]) -> None:
    assert types == TYPES


def test_every_type_refuses_misspelling(types: dict[str, type[BaseModel]]) -> None:
    # A root model has no names to misspell.
    lenient = [
        key
        for key, kind in types.items()
        if not issubclass(kind, RootModel) and kind.model_config.get("extra") != "forbid"
    ]
    assert lenient == []


def test_every_type_is_frozen(types: dict[str, type[BaseModel]]) -> None:
    # A node can't change what the next one reads.
    assert [
        key
        for key, kind in types.items()
        if not issubclass(kind, RootModel) and not kind.model_config.get("frozen")
    ] == []


def test_every_type_is_a_block_that_tells_a_wrong_value_once() -> None:
    """But for those that are one value, or names of one's own."""
    assert [
        name for name, kind in TYPES.items() if not issubclass(kind, ParameterModel | RootModel)
    ] == []
    # Of a parameter of several kinds pydantic tells each kind's fault, under names that there are not.
    names = [parameter for parameter in PARAMETERS if parameter[1] != "root"]
    found = {(model.__name__, name): find_faults(model, name, object()) for model, name in names}
    assert {place: faults for place, faults in found.items() if faults != [place[1:]]} == {}


def test_every_block_that_a_node_reads_has_a_type(
    types: dict[str, type[BaseModel]], registered: dict[str, Pipeline]
) -> None:
    """Apart from a pipeline's whole parameters, which a report may state."""
    read = {
        name
        for pipeline in registered.values()
        for name in pipeline.inputs()
        if name.startswith("params:")
    }
    blocks = {name.removeprefix("params:") for name in read} - set(registered)
    assert blocks == set(types) - set(registered)


def find(parameters: dict[str, Any], key: str) -> Any:
    for name in key.split("."):
        parameters = parameters[name]
    return parameters


def test_every_parameter_stands_in_its_file_with_a_right_value(
    types: dict[str, type[BaseModel]], context: KedroContext
) -> None:
    # The parameters of `conf/base`, pipeline by pipeline.
    files = sorted((context.project_path / "conf" / "base").glob("parameters*.yml"))
    written = dict(
        OmegaConf.to_container(OmegaConf.merge(*(OmegaConf.load(file) for file in files)))
    )
    missing = {
        key: sorted(set(kind.model_fields) - set(find(written, key)))
        for key, kind in types.items()
        if not issubclass(kind, RootModel)
    }
    assert {key: names for key, names in missing.items() if names} == {}
    for key, kind in types.items():
        assert isinstance(kind.model_validate(find(written, key)), kind)
    parameters = context.config_loader["parameters"]
    for key, kind in types.items():
        assert isinstance(kind.model_validate(find(parameters, key)), kind)


def list_numbers(
    schema: Any, path: str, definitions: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number of a JSON schema, with the place where it stands."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield from list_numbers(
                definitions[schema["$ref"].rpartition("/")[2]], path, definitions
            )
        if schema.get("type") in ("integer", "number"):
            yield path, schema
        for name, inner in schema.items():
            if name != "$defs":
                yield from list_numbers(inner, f"{path}.{name}", definitions)
    elif isinstance(schema, list):
        for inner in schema:
            yield from list_numbers(inner, path, definitions)


def test_every_number_has_bounds() -> None:
    """What is beyond them ends in another library's error, after hours or with files half written."""
    schemas = {key: kind.model_json_schema() for key, kind in TYPES.items()}
    found = [
        number
        for key, schema in schemas.items()
        for number in list_numbers(schema, key, schema.get("$defs", {}))
    ]
    unbounded = {
        path
        for path, schema in found
        if not (
            {"minimum", "exclusiveMinimum"} & set(schema)
            and {"maximum", "exclusiveMaximum"} & set(schema)
        )
    }
    # A search holds its values against the parameters that they are for.
    assert {
        path for path in unbounded if not path.startswith("tune_forecast.properties.space")
    } == set()


def list_parts(kind: Any) -> Iterator[Any]:
    """What a type is made of, down to the models."""
    yield kind
    for part in get_args(kind):
        yield from list_parts(part)


def list_parameters(kind: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """Each parameter of a type and of those inside it, as model and name; that of a root model is `root`."""
    for model in list_parts(kind):
        for name, field in getattr(model, "model_fields", {}).items():
            yield model, name
            yield from list_parameters(field.annotation)


PARAMETERS = sorted(
    {parameter for kind in TYPES.values() for parameter in list_parameters(kind)}, key=str
)


def find_faults(model: type[BaseModel], name: str, value: Any) -> list[tuple[int | str, ...]]:
    """Where messages say that one parameter is refused; nowhere, if it is taken."""
    try:
        model.model_validate(value if name == "root" else {name: value})
    except ValidationError as error:
        return [fault["loc"] for fault in error.errors() if name in ("root", *fault["loc"][:1])]
    return []


@pytest.mark.parametrize("value", [True, False, np.True_, [True]], ids=repr)
def test_no_number_is_a_truth_value(value: Any) -> None:
    """Pydantic takes true for 1, and false for 0."""
    parts = {
        parameter: {*list_parts(parameter[0].model_fields[parameter[1]].annotation)}
        for parameter in PARAMETERS
    }
    numbers = [
        parameter
        for parameter, found in parts.items()
        if {int, float} & found and bool not in found
    ]
    assert [
        (model.__name__, name) for model, name in numbers if not find_faults(model, name, value)
    ] == []
