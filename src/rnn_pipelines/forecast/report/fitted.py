"""The report of methods that were fitted from Python or the console, as `kedro run` makes it."""

from rnn_pipelines.forecast.evaluation.covariates import describe_covariates
from rnn_pipelines.forecast.fitting import Evaluated, Fitted
from rnn_pipelines.forecast.model.explanation import explain_ensemble
from rnn_pipelines.forecast.report.diagnostics import draw_diagnostics
from rnn_pipelines.forecast.report.figures import draw_figures
from rnn_pipelines.forecast.report.report import Results, render_report


def render_fitted(fitted: Fitted, evaluated: Evaluated) -> str:
    """Return the report as one HTML page that needs no network.

    Args:
        fitted: on a table.
        evaluated: the forecasts of `fitted`, and their errors.
    """
    panel, data, spec = fitted.panel, fitted.data, fitted.spec
    explanation = explain_ensemble(
        panel.windows, panel.features, panel.scaler, data.linear, fitted.methods, fitted.weights
    )
    histories = {name: network.history for name, network in fitted.networks.items()}
    figures = draw_figures(
        evaluated.test, panel.series, evaluated.future, evaluated.by_step, evaluated.by_level, explanation, **histories
    )
    results = Results(
        metrics=evaluated.metrics,
        profile=panel.profile,
        cutoffs=panel.cutoffs,
        test=evaluated.test,
        next_values=evaluated.future,
        by_level=evaluated.by_level,
        covariates=describe_covariates(panel.windows, data.linear, panel.coding, panel.scaler),
        records={name: network.record for name, network in fitted.networks.items()},
        ensemble=fitted.weights,
        features=panel.features,
    )
    parameters = {**spec.recipe.list_values(), **spec.networks, "training": spec.training, "level": spec.level}
    parameters["use"] = spec.use
    return render_report(results, parameters, figures | draw_diagnostics(evaluated.test, panel.profile))
