"""The prose of a report, from a text file beside its code."""

import tomllib
from functools import cache
from importlib.resources import files


@cache
def read_texts(package: str) -> dict[str, dict[str, str]]:
    """Read the tables of texts in a package's `texts.toml`; the line breaks in a text become spaces.

    Args:
        package: the full name of the package.
    """
    tables = tomllib.loads(files(package).joinpath("texts.toml").read_text(encoding="utf-8"))
    return {name: {key: text.strip().replace("\n", " ") for key, text in of.items()} for name, of in tables.items()}
