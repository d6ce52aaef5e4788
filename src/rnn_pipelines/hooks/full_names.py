"""The names of parameters in errors and log lines of a run, as users give them: `forecast.source.tz`.

The library, which Python and the console use too, names them without the pipeline.
"""

from collections.abc import Mapping

from kedro.pipeline import Pipeline
from kedro.validation.type_extractor import TypeExtractor

from rnn_pipelines.parameter_models import list_names


def find_full_names(pipelines: Mapping[str, Pipeline]) -> dict[str, str]:
    """Return the full names of the parameters of pipelines, by their names in the library.

    A name that several parameters share is left out.

    Args:
        pipelines: by name.
    """
    found: dict[str, set[str]] = {}
    for full, kind in TypeExtractor(dict(pipelines)).extract_types_from_pipelines().items():
        for name, full_name in list_names(full, kind):
            found.setdefault(name, set()).add(full_name)
    return {name: of.pop() for name, of in found.items() if len(of) == 1}
