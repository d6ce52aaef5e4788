"""The names of parameters in errors and log lines of a run, as users give them: `forecast.source.tz`.

The library, which Python and the console use too, names them without the pipeline.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kedro.pipeline import Pipeline
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel, RootModel

# The parameter of retrainings, experiments and checks that messages name without its block.
AS_OF = "as_of"


def find_full_names(pipelines: Mapping[str, Pipeline]) -> dict[str, str]:
    """Return the full names of the parameters of pipelines, by their names in the library.

    A name that several parameters share is left out.

    Args:
        pipelines: by name.
    """
    found: dict[str, set[str]] = {}
    for full, kind in TypeExtractor(dict(pipelines)).extract_types_from_pipelines().items():
        for name, full_name in _list_names(full, kind):
            found.setdefault(name, set()).add(full_name)
    return {name: of.pop() for name, of in found.items() if len(of) == 1}


def name_fully(message: str, full_names: Mapping[str, str]) -> str:
    """Return a message with the full names of its parameters.

    Args:
        message: of the library.
        full_names: see `find_full_names`.
    """
    if not full_names:
        return message
    listed = "|".join(re.escape(name) + ("" if name.endswith("=") else r"\b") for name in full_names)
    return re.sub(rf"(?<![\w./])(?:{listed})", lambda match: full_names[match[0]], message)


def _list_names(full: str, kind: Any) -> Iterator[tuple[str, str]]:
    """Yield both names of each field of a block, and of the blocks within; a block without fields is `gaps=`."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return
    owner, _, block = full.rpartition(".")
    if issubclass(kind, RootModel):
        yield f"{block}=", f"{full}="
        return
    for field, facts in kind.model_fields.items():
        yield f"{block}.{field}", f"{full}.{field}"
        if field == AS_OF and not owner:
            yield AS_OF, f"{full}.{AS_OF}"
        yield from _list_names(f"{full}.{field}", facts.annotation)
