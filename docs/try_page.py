"""Write try.html, the page that forecasts a reader's own numbers: `.venv/bin/python docs/try_page.py`.

It joins the files of the folder `try` with the weights and constants of the package.
"""

import json
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined

from rnn_pipelines.forecast.methods.local import season, theta
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.kinds import KINDS, OTHER_SEASONS
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.report.explorer import export_pretrained, list_constants
from rnn_pipelines.report.explorer.page import encode_content, read_scripts

DOCS = Path(__file__).parent
PAGE = DOCS / "try.html"
# Days of a step, its season, and the name of the steps.
USUAL_SEASONS = {
    (1 / 96, 96): "quarter hours",
    (1 / 48, 48): "half hours",
    (1 / 24, 24): "hours",
    (1, 7): "days",
    (7, 52): "weeks",
    (30.4, 12): "months",
    (91.3, 4): "quarters",
    (365.25, 1): "none",
}


def build_page() -> str:
    """Return the page, which is one file and loads nothing."""
    values = list_constants() | {
        name: getattr(season, name) for name in ("MIN_FACTOR", "MIN_VALUES_PER_PHASE")
    }
    values |= {"ALPHAS": theta.ALPHAS[:, 0].tolist()}
    networks = {
        cell: export_pretrained(load_network(PretrainedSpec(network=cell)))
        for cell in ("gru", "lstm")
    }
    values["USUAL_SEASONS"] = sorted(USUAL_SEASONS, key=lambda usual: usual[1])
    names = {length: name for (_, length), name in USUAL_SEASONS.items()}
    lengths = sorted(length for length in (*KINDS, *OTHER_SEASONS) if length)
    seasons = {
        length: f"{length} ({names[length]})" if length in names else length for length in lengths
    }
    template = Environment(undefined=StrictUndefined, trim_blocks=True).from_string(
        (DOCS / "try/page.html").read_text()
    )
    scripts = {name: (DOCS / f"try/{name}.js").read_text() for name in ("simple", "page")}
    scripts["network"] = read_scripts(["cells.js", "pretrained.js", "memory.js", "charts.js"])
    given = {"seasons": seasons, "example": draw_sales(), **scripts}
    return template.render(constants=json.dumps(values), networks=encode_content(networks), **given)


def draw_sales() -> str:
    """Return a generated table of months, with which the page starts."""
    months = np.arange(84)
    rng = np.random.default_rng(4)
    season_of_month = (
        1 + 0.25 * np.sin(2 * np.pi * (months - 3) / 12) + 0.1 * np.cos(4 * np.pi * months / 12)
    )
    sales = (
        (220 + 1.8 * months + rng.normal(0, 4, 84).cumsum())
        * season_of_month
        * np.exp(rng.normal(0, 0.04, 84))
    )
    rows = (
        f"{2019 + month // 12}-{month % 12 + 1:02},{value:.0f}"
        for month, value in zip(months, sales, strict=True)
    )
    return "\n".join(["month,sales", *rows])


if __name__ == "__main__":
    PAGE.write_text(build_page())
