"""Write the notebooks as pages of the site, with their stored outputs: `docs/notebooks/<name>.md` and pictures."""

import base64
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SIGNS = {
    "cdot": "·",
    "odot": "⊙",
    "approx": "≈",
    "sigma": "σ",
    "pi": "π",
    "qquad": "\u2003",
    "big": "",
    **{name: name for name in ("tanh", "ln", "sin")},
}
COLOURS = re.compile(r"\x1b\[[\d;]*m")


def render_notebook(path: Path) -> tuple[str, dict[str, bytes]]:
    """Return a notebook as Markdown, and its pictures by file name.

    Raises:
        ValueError: an equation has a command that is not in `SIGNS`.
    """
    pictures: dict[str, bytes] = {}
    parts = []
    for cell in json.loads(path.read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(_write_equations(_adapt_links(source)))
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            name = f"{path.stem}_{len(pictures) + 1}.png"
            if encoded := output.get("data", {}).get("image/png"):
                pictures[name] = base64.b64decode("".join(encoded))
                parts.append(f"![Figure of the code above]({name})")
            else:
                parts += _write_output(output)
    return "\n\n".join(parts) + "\n", pictures


def _adapt_links(text: str) -> str:
    """Let links lead to pages of the site; those to other files of the project become text."""
    text = text.replace(".ipynb)", ".md)").replace("](../docs/", "](pages/")
    return re.sub(r"\[([^]]+)\]\(\.\./[^)]*\)", r"\1", text).replace("](pages/", "](../")


def _write_output(output: dict[str, Any]) -> Iterator[str]:
    data = output.get("data", {})
    html = "".join(data.get("text/html", ""))
    if "<table" in html:
        # Tables without a class have the style of the site.
        yield re.sub(r"<style.*?</style>|(?<=<table)[^>]*", "", html, flags=re.DOTALL).replace(
            "\n\n", "\n"
        )
    else:
        text = COLOURS.sub("", "".join(output.get("text", data.get("text/plain", "")))).rstrip()
        yield f"```text\n{text}\n```" if text else ""


def _write_equations(text: str) -> str:
    """Replace the equations in TeX outside of code by signs, indices and exponents."""
    pieces = re.split(r"(```.*?```|`[^`\n]*`)", text, flags=re.DOTALL)
    return "".join(
        piece if piece.startswith("`") else _replace_equations(piece) for piece in pieces
    )


def _replace_equations(text: str) -> str:
    text = re.sub(
        r"\$\$(.+?)\$\$", lambda found: f"<p>{_write_equation(found[1])}</p>", text, flags=re.DOTALL
    )
    return re.sub(r"\$([^$\n]+)\$", lambda found: _write_equation(found[1]), text)


def _write_equation(tex: str) -> str:
    written = re.sub(r"\\([a-z]+)", lambda found: SIGNS.get(found[1], found[0]), tex)
    if "\\" in written:
        raise ValueError(
            f"unknown command in the equation {tex!r}: add it to SIGNS in {Path(__file__).name}."
        )
    written = written.replace("'", "′").replace("-", "−")
    for sign, element in (("_", "sub"), ("^", "sup")):
        written = re.sub(rf"\{sign}(?:{{([^}}]+)}}|(\w))", rf"<{element}>\1\2</{element}>", written)
    return f"<i>{written}</i>"


def write_notebooks(folder: Path) -> None:
    """Write the pages and pictures of all notebooks into a folder, which is made."""
    folder.mkdir(exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        text, pictures = render_notebook(path)
        (folder / f"{path.stem}.md").write_text(text)
        for name, content in pictures.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    write_notebooks(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "notebooks")
