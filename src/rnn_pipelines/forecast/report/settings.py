"""The tables of a run's settings: parts of the series, networks, weights and data."""

from collections.abc import Mapping, Sequence
from typing import Any

from rnn_pipelines.forecast.evaluation.covariates import Covariates
from rnn_pipelines.forecast.report.choice import show_time
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile
from rnn_pipelines.forecast.source.column_choice import describe_columns
from rnn_pipelines.forecast.source.specs import describe_found
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.networks.specs import format_units
from rnn_pipelines.report.notes import find_failure, write_note
from rnn_pipelines.report.numbers import (
    NO_NUMBER,
    Column,
    format_count,
    format_number,
    format_tenths,
)
from rnn_pipelines.report.page import Table, tabulate

# The hyperparameters of a network by the names of their parameters.
TRAINING = {name: name for name in ("max_steps", "batch_size", "learning_rate", "weight_average")}
NETWORK = {"units": "units", "members": "num_members", "segment": "segment"}


def tabulate_networks(records: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return architecture, training and shrinkage of each network."""
    columns = {
        "num_members": Column("members", format_count),
        "units": Column("units"),
        "segment": Column("steps per input", format_count),
        "num_parameters": Column("parameters", format_count),
        "num_steps": Column("steps", format_count),
        "best_step": Column("best step", format_count),
        "shrinkage": Column("shrinkage", "{:.2f}".format),
        "training_seconds": Column("training, s", format_tenths),
    }
    rows = []
    for name, record in records.items():
        values = {**record, **record["hyperparameters"]}
        rows.append((STYLES[name].name, {**values, "units": format_units(values["units"])}))
    return tabulate("network", rows, columns)


def list_chosen(
    profile: Profile,
    records: Mapping[str, Mapping[str, Any]],
    calendar: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return values chosen from the data by names of parameters that are null; no calendar if its names are unknown."""
    columns: Mapping[str, Any] = profile.get("columns", {})
    source = {**profile["found"], "id": columns.get("id"), "freq": profile["freq"]}
    source["target"] = None if columns.get("series") else profile["target"]
    blocks: dict[str, dict[str, Any]] = {
        "source": {name: value for name, value in source.items() if value is not None},
        "window": {name: profile[name] for name in ("lookback", "horizon")},
        "evaluation": {"season_length": profile["season_length"]},
    }
    if calendar is not None:
        cycles = CalendarSpec.model_fields
        blocks["calendar"] = {
            cycle: sum(name.startswith(f"{cycle}_sin_") for name in calendar) for cycle in cycles
        }
    for network, record in records.items():
        values = record["hyperparameters"]
        for block, keys in (("training", TRAINING), (network, NETWORK)):
            blocks.setdefault(block, {}).update(
                {name: values[key] for name, key in keys.items() if key in values}
            )
    return {
        f"forecast.{block}.{name}": value
        for block, values in blocks.items()
        for name, value in values.items()
    }


def tabulate_weights(ensemble: Mapping[str, Any]) -> Table:
    """Return the weight of each method in the ensemble, with its error on held-out windows."""
    weights = ensemble["weights"]
    losses = ensemble["losses"]
    rows = [
        [STYLES[name].name, format_number(weights.get(name)), format_number(loss)]
        for name, loss in losses.items()
    ]
    return Table(header=["part", "weight", "error on held-out windows, normalised"], rows=rows)


def tabulate_profile(profile: Profile) -> Table:
    """Return the facts of the data, and all repairs."""
    freq = profile["freq"]
    season_length = profile["season_length"]
    facts = [
        ["source", profile["source"]],
        ["target", profile["target"]],
        ["frequency", f"every {freq} steps" if isinstance(freq, int) and freq > 1 else str(freq)],
        [
            "season length of the frequency",
            f"{season_length} steps" if season_length > 1 else "none",
        ],
        ["window", f"{profile['lookback']} steps back, {profile['horizon']} ahead"],
        ["span", f"{profile['first']} to {profile['last']}"],
        ["series", f"{profile['num_series']:,}"],
        ["steps", f"{profile['num_steps']:,}"],
    ]
    if columns := describe_columns(profile):
        facts.append(["columns", columns])
    if zone := profile["tz"]:
        facts.append(["time zone", zone])
    if found := profile["found"]:
        facts.append(["found in the file", describe_found(found)])
    facts += [["repair", repair] for repair in profile["repairs"] or ["none needed"]]
    return Table(["fact", "value"], facts, num_text_columns=2)


def tabulate_parts(profile: Profile, cutoffs: Cutoffs) -> Table:
    """Return the parts of the series on the time axis; those of several series begin at different times."""
    starts = {"training": None, "validation": "validation_from", "test": "test_from"}
    stops = ["train_stop", "validation_stop", "num_steps"]
    evaluated = cutoffs[cutoffs["train_stop"] < cutoffs["num_steps"]]
    sizes = evaluated[stops].diff(axis=1).fillna({"train_stop": evaluated["train_stop"]}).sum()
    rows = []
    for (part, column), size in zip(starts.items(), sizes, strict=True):
        start = profile["first"] if column is None else NO_NUMBER
        if column in evaluated:
            times = show_time(evaluated[column])
            start = " to ".join(dict.fromkeys((str(times.min()), str(times.max()))))
        if size > 0:
            rows.append([part, start, f"{int(size):,}"])
    rows.append(
        ["forecast", f"after {profile['last']}", f"{profile['horizon'] * profile['num_series']:,}"]
    )
    return Table(
        ["part", "starts", "steps"], rows, num_text_columns=2, caption="Parts on the time axis"
    )


def tabulate_covariates(covariates: Covariates) -> Table | str:
    """Return role, encoding and effect of each covariate; a note if they could not be measured."""
    if (reason := find_failure(covariates)) is not None:
        return write_note(reason)
    unit = "%" if covariates["is_percent"].any() else "unit of the data"
    rows = [
        [row.covariate, row.role, row.read_as, format_number(row.effect)]
        for row in covariates.itertuples()
    ]
    return Table(
        header=["covariate", "role", "read as", f"effect, {unit}"], rows=rows, num_text_columns=3
    )
