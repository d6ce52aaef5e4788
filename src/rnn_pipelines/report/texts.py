"""The prose of a report, which stands in a text file beside its code."""

import tomllib
from importlib.resources import files


def read_texts(package: str) -> dict[str, dict[str, str]]:
    """The tables of texts in a package's `texts.toml`; a text is one paragraph, whatever its line breaks.

    Args:
        package: its full name.
    """
    tables = tomllib.loads(files(package).joinpath("texts.toml").read_text(encoding="utf-8"))
    return {name: {key: text.strip().replace("\n", " ") for key, text in of.items()} for name, of in tables.items()}
