"""Equations of a page, set as MathML."""

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

# Names with subscript and prime, numbers, and signs.
TOKEN = re.compile(
    r"(?P<name>[A-Za-zσ]+)(?:_(?P<index>\w+?))?(?P<prime>′)?(?!\w)|(?P<number>\d+)|(?P<sign>[=+−·,()])"
)
FUNCTIONS = ("tanh", "exp", "σ")
APPLY, TIMES = "<mo>&#x2061;</mo>", "<mo>&#x2062;</mo>"


@dataclass(frozen=True)
class Equation:
    """An equation with a name, such as `h′ = o · tanh c′,  f = σ(x W_f + b_f)`; a space between names is a product."""

    name: str
    text: str


def parse_equation(line: str) -> Equation:
    """Return the equation of a line: `Forget gate:  f = σ(x W_f)`."""
    name, _, text = line.partition(":")
    return Equation(name, text.strip())


def write_mathml(equation: Equation) -> Markup:
    """Return the equation as a MathML element, with its text for readers without MathML.

    A sign that is not part of the notation raises a ValueError.
    """
    written = ""
    before = ""
    end = 0
    for token in TOKEN.finditer(equation.text):
        _check_blank(equation.text[end : token.start()])
        end = token.end()
        written += _join(before, token) + _write(token)
        before = token["name"] or token["number"] or token["sign"]
    _check_blank(equation.text[end:])
    return Markup(f'<math alttext="{escape(equation.text)}"><mrow>{written}</mrow></math>')


def _check_blank(text: str) -> None:
    if text.strip():
        raise ValueError(
            f"an equation holds {text!r}: expected names, numbers and the signs = + − · , ( )."
        )


def _join(before: str, token: re.Match[str]) -> str:
    """Return what stands between two parts: nothing, a space, or an invisible sign."""
    if before in FUNCTIONS:
        return APPLY if token["sign"] == "(" else f'{APPLY}<mspace width="0.17em"/>'
    if before == ",":
        return '<mspace width="1em"/>'
    is_product = (before == ")" or before.isalnum()) and not (
        token["sign"] and token["sign"] != "("
    )
    return TIMES if before and is_product else ""


def _write(token: re.Match[str]) -> str:
    if token["number"]:
        return f"<mn>{token['number']}</mn>"
    if token["sign"]:
        # Brackets would grow with the subscripts within.
        return f'<mo stretchy="false">{token["sign"]}</mo>'
    name = f"<mi>{token['name']}</mi>"
    if token["index"]:
        name = f"<msub>{name}<mi>{token['index']}</mi></msub>"
    return f"<msup>{name}<mo>′</mo></msup>" if token["prime"] else name
