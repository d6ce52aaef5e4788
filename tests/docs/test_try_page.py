"""The page of a reader's own numbers, in Chromium: its forecasts equal NumPy's, and it reads and refuses texts."""

import html
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from documents import PROJECT
from rnn_pipelines.forecast.methods.local.theta import extend_by_theta
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.kinds import KINDS, OTHER_SEASONS, find_learnt_horizon
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.lab.pretraining.generator import generate

pytestmark = pytest.mark.chromium

PAGE = PROJECT / "docs/try.html"
NUM_SERIES = int(os.environ.get("RNN_FUZZ_PAGE", "250"))
CELLS = ("gru", "lstm")
SEASONS = [season for season in (*KINDS, *OTHER_SEASONS) if season]
LONGEST = 500

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the body of an async function in the page, and returns what it returns. A message of the console fails."""

    def run_script(
        body: str, width: int = 1400, is_dark: bool = False, is_quiet: bool = True
    ) -> Any:
        script = f"""<script>(async () => {{ {body} }})().then(
            (found) => parent.postMessage(JSON.stringify(found), "*"));</script></body>"""
        (tmp_path / "page.html").write_text(PAGE.read_text().replace("</body>", script))
        # A window has a least width of its own, a frame has none.
        path = tmp_path / "frame.html"
        path.write_text(
            f"""<pre id="answer"></pre>
            <iframe src="page.html" style="border: 0; width: {width}px; height: 1000px"></iframe>
            <script>onmessage = ({{ data }}) => {{ document.getElementById("answer").textContent = data; }};</script>"""
        )
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1500,1100",
            "--enable-logging=stderr",
        ]
        options += [f"--blink-settings=preferredColorScheme={0 if is_dark else 1}"]
        options += [
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=20000",
            "--dump-dom",
        ]
        done = subprocess.run(
            ["chromium", *options, path.as_uri()],
            check=True,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert (
            not is_quiet or [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
        )
        return json.loads(
            html.unescape(done.stdout.partition('<pre id="answer">')[2].partition("</pre>")[0])
        )

    return run_script


def draw_series(count: int) -> list[tuple[list[float], int, int]]:
    """Return generated values, season length and horizon: every season in turn, from 3 to 500 values.

    One in five has ten times a horizon that was learnt.
    """
    drawn = []
    for number in range(count):
        rng = np.random.default_rng([7, number])
        season = SEASONS[number % len(SEASONS)]
        size = int(np.exp(rng.uniform(np.log(3), np.log(LONGEST + 1))))
        values = generate(rng, 1, season, size)[0]
        if number % 2:  # So that logarithms are read.
            values = values - values.min() + rng.uniform(0.1, 2) * (np.ptp(values) + 1e-6)
        horizon = int(rng.integers(1, find_learnt_horizon(season) + 1)) * (
            10 if number % 5 == 0 else 1
        )
        drawn.append((values.tolist(), season, horizon))
    return drawn


def measure_differences(run: Run, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest difference of the network's quantiles and of Theta, over the scale of each series."""
    series = draw_series(count)
    found = run(
        f"""const round = (values) => values.map((value) => Number(value.toPrecision(12)));
        return {json.dumps(series)}.map(([past, season, horizon]) => [
            ...{json.dumps(CELLS)}.map((cell) => forecast(cell, past, season, horizon).quantiles.map(round)),
            round(extendTheta(past, season, horizon))]);"""
    )
    networks = [load_network(PretrainedSpec(network=cell)) for cell in CELLS]
    of_networks = []
    of_theta = []
    for (values, season, horizon), own in zip(series, found, strict=True):
        past = np.array([values])
        expected = [network.forecast(past, season, horizon)[0] for network in networks]
        expected.append(extend_by_theta(past, season, horizon)[0])
        # A constant series has a deviation of rounding errors.
        deviation = past.std()
        largest = np.abs(past).max()
        scale = deviation if deviation > 1e-9 * largest else largest or 1.0
        differences = [
            np.abs(np.array(made) - right).max() / scale
            for made, right in zip(own, expected, strict=True)
        ]
        of_networks.append(max(differences[:-1]))
        of_theta.append(differences[-1])
    return np.array(of_networks), np.array(of_theta)


@pytest.mark.parametrize(
    ("season", "num_days", "steps_of_day"),
    [(7, 3 * 365 + 60, 1), (24, 1000, 24), (24, 15, 24), (48, 40, 48)],
)
def test_forecasts_of_long_horizons_equal_those_of_numpy(
    run: Run, season: int, num_days: int, steps_of_day: int
) -> None:
    """At the largest horizon of the page, of a level that comes back."""
    rng = np.random.default_rng(2)
    days = np.arange(num_days * steps_of_day) / steps_of_day
    level = np.repeat(rng.normal(size=num_days), steps_of_day)
    past = (
        10 * np.sin(2 * np.pi * days / 365)
        + 3 * np.sin(2 * np.pi * days)
        + level
        + rng.normal(size=len(days))
    )
    horizon = 10 * find_learnt_horizon(season)
    found = run(
        f"""const past = {json.dumps(past.round(4).tolist())};
        return {json.dumps(CELLS)}.map((cell) => {{
            const {{ quantiles, moves }} = forecast(cell, past, {season}, {horizon});
            return {{ quantiles, moved: Math.max(...moves.map(Math.abs)) }};
        }});"""
    )
    for cell, of_page in zip(CELLS, found, strict=True):
        network = load_network(PretrainedSpec(network=cell))
        expected = network.forecast(past.round(4)[None], season, horizon)[0]
        assert np.abs(np.array(of_page["quantiles"]) - expected).max() < 1e-4 * past.std()
        assert of_page["moved"] > 0.1 * past.std()


def test_forecasts_equal_those_of_numpy(run: Run) -> None:
    of_networks, of_theta = measure_differences(run, 2 * len(SEASONS))
    assert of_networks.max() < 1e-4
    assert of_theta.max() < 1e-6


@pytest.mark.slow
def test_forecasts_of_many_series_equal_those_of_numpy(run: Run) -> None:
    of_networks, of_theta = measure_differences(run, NUM_SERIES)
    assert of_networks.max() < 1e-4
    assert of_theta.max() < 1e-6


READ = {
    "a column": (
        "1\n2.5\n\n4\n",
        [1, 2.5, 3.25, 4],
        "1 missing, filled on a straight line: row 3.",
    ),
    "a header and CRLF": (
        "\ufeffy\r\n1\r\nNA\r\n3\r\n5\r\n",
        [1, 2, 3, 5],
        "4 values of y. 1 missing",
    ),
    "a column with decimal commas": (
        "1,5\n2,5\n4\n7,25",
        [1.5, 2.5, 4, 7.25],
        "with decimal commas",
    ),
    "numbers of the rows": ("1,5\n2,7\n3,9\n4,8", [5, 7, 9, 8], "4 values of column 2."),
    "semicolons": (
        "Datum;Umsatz\n1.1.2024;1.234,5\n2.1.2024;99,5\n3.1.2024;7",
        [1234.5, 99.5, 7],
        "values of Umsatz",
    ),
    "thousands": (
        'day,y\n2024-01-01,"1,234.5"\n2024-01-02,"12,000"\n2024-01-03,7',
        [1234.5, 12000, 7],
        "values of y",
    ),
    "spaces in numbers": ("1 234\n2'345\n3\u202f456\n−5", [1234, 2345, 3456, -5], "4 values"),
    "cells of a spreadsheet": ("shop\ty\nA\t1\nA\t2\nA\t1e1", [1, 2, 10], "values of y"),
    "one line": ("3 5 8 9", [3, 5, 8, 9], "4 values"),
    "one line with commas": ("3,5,8,9", [3, 5, 8, 9], "4 values"),
    "one line with decimal commas": ("3,5 5,5 8,25", [3.5, 5.5, 8.25], "with decimal commas"),
    "missing at the ends": ("y\n\n1\n2\n4\n-\n", [1, 2, 4], "3 values of y."),
    "a missing day": (
        "t,y\n2024-01-01,1\n2024-01-02,2\n2024-01-04,1\n2024-01-05,2",
        [1, 2, 1, 2],
        "Row 4: the time",
    ),
    "a name with signs": ("<b>&lt\n1\n2\n3", [1, 2, 3], "3 values of <b>&lt."),
}
REFUSED = {
    "": "At least 3 values are needed, but column 1 has 0",
    "a,b\nc,d\ne,f": "There is no column of numbers",
    "a\nb\nc": "Row 2, a: “b” is not a number",
    "1\n2\nx3\n4": "Row 3, column 1: “x3” is not a number",
    "d;y\n2024-01;1\n2024-02;1,5\n2024-03;1.5": "Row 4, y: “1.5” is not a number with a decimal comma",
    "1\n2\n1e999": "Row 3, column 1: “1e999” is not a number",
    "y\n1\n2": "At least 3 values are needed, but y has 2",
    "t,y\n2024-01-02,1\n2024-01-01,2\n2024-01-03,2": "Row 3: the time is not after the one before",
    "t,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,5 %": "Row 4, y: “5 %” is not a number",
}


READ_TEXTS = """.map((text) => {
    find("text").value = text;
    update();
    const { textContent: message, className: kind } = find("message");
    const isShown = find("results").checkVisibility();
    return { message, kind, isShown, values: kind ? [] : readInputs().values };
});"""


def read_texts(run: Run, texts: list[str]) -> list[dict[str, Any]]:
    return run(f"return {json.dumps(texts)}{READ_TEXTS}")


def test_texts_are_read(run: Run) -> None:
    shown = read_texts(run, [text for text, _, _ in READ.values()])
    for (name, (_, values, part)), own in zip(READ.items(), shown, strict=True):
        assert (own["values"], own["kind"], own["isShown"]) == (values, "", True), name
        assert part in own["message"], name


def test_texts_are_refused_with_the_row(run: Run) -> None:
    shown = read_texts(run, list(REFUSED))
    for part, own in zip(REFUSED.values(), shown, strict=True):
        assert own["message"].startswith(part)
        assert (own["kind"], own["isShown"]) == ("wrong", False), part


def test_names_of_columns_are_shown_as_text(run: Run) -> None:
    name = "<img src=x>"
    found = run(
        f"""find("text").value = "{name},b\\n" + [1, 5, 3].map((value) => `${{value}},2`).join("\\n");
        update();
        return [document.images.length, readInputs().name, find("column").options[0].text];"""
    )
    assert found == [0, name, name]


def test_inputs_are_guessed_from_the_table(run: Run) -> None:
    """From the step of the times, or else from the changes that repeat; next times follow the table."""
    months = [f"{2020 + month // 12}-{month % 12 + 1:02}-31" for month in (0, 2, 4)]
    hours = [f"2024-01-01 {hour:02}:00" for hour in range(22, 24)] + ["2024-01-02 00:00"]
    weekly = [str(10 + (step % 7 == 5) * 8 + 0.1 * step) for step in range(60)]
    texts = [
        "\n".join(f"{time};{number}" for number, time in enumerate(times))
        for times in (months, hours)
    ]
    texts += [
        "\n".join(weekly),
        "\n".join(str(number * number) for number in range(30)),
        "5\n5\n5\n5",
    ]
    found = run(
        f"""return {json.dumps(texts)}.map((text) => {{
            find("text").value = text;
            update();
            const {{ season, horizon, labelOf, values }} = readInputs();
            return [season, horizon, labelOf(values.length), find("value-rows").rows.length];
        }});"""
    )
    assert found == [
        [1, 1, "2020-07", 1],
        [24, 1, "2024-01-02 01:00", 1],
        [7, 7, "+1", 7],
        [1, 6, "+1", 6],
        [1, 2, "+1", 2],
    ]


def choose_horizon(run: Run, values: list[float], horizon: int) -> dict[str, Any]:
    """What the page shows of an LSTM with a season of 7."""
    return run(
        f"""const values = {json.dumps(values)};
        find('text').value = values.join('\\n'); find('season').value = '7'; guessed.delete('horizon');
        find("horizon").value = "{horizon}"; find("lstm").checked = true; update();
        const shown = [...find("value-rows").rows].map((row) => Number(row.cells[1].textContent));
        const {{ textContent: message, className: kind }} = find("message");
        return {{ shown, message, kind, gates: find("gates").childElementCount }};"""
    )


@pytest.fixture(scope="module")
def weekly() -> list[float]:
    return generate(np.random.default_rng(5), 1, 7, 60)[0].round(2).tolist()


def test_forecast_has_the_horizon_that_is_chosen(run: Run, weekly: list[float]) -> None:
    page = choose_horizon(run, weekly, 9)
    expected = load_network(PretrainedSpec(network="lstm")).extend(np.array([weekly]), 7, 9)[0]
    np.testing.assert_allclose(page["shown"], expected, atol=0.6)
    assert page["gates"] == 4


def test_ten_times_the_learnt_horizon_is_forecast(run: Run, weekly: list[float]) -> None:
    page = choose_horizon(run, weekly, 560)
    assert (len(page["shown"]), page["kind"]) == (560, "")


def test_a_longer_horizon_is_refused(run: Run, weekly: list[float]) -> None:
    assert choose_horizon(run, weekly, 561)["message"].startswith(
        "Steps ahead: give a whole number from 1 to 560, 10 times what was learnt"
    )


def test_errors_on_the_past_are_those_of_earlier_origins(run: Run) -> None:
    values = generate(np.random.default_rng(3), 1, 4, 60)[0].tolist()
    found = run(
        f"return testOnPast({{ cell: 'gru', values: {json.dumps(values)}, season: 4, horizon: 5 }});"
    )
    origins = [
        len(values) - 5 - int(place * (len(values) - 5 - len(values) // 2) / 11 + 0.5)
        for place in range(12)
    ]
    network = load_network(PretrainedSpec(network="gru"))
    errors = []
    inside = 0
    for origin in origins:
        past = np.array([values[:origin]])
        actual = np.array(values[origin : origin + 5])
        quantiles = network.forecast(past, 4, 5)[0]
        naive = past[0, -4:][np.arange(5) % 4]
        forecasts = quantiles[:, 3], extend_by_theta(past, 4, 5)[0], naive
        errors.append([np.abs(actual - forecast).mean() for forecast in forecasts])
        inside += int(((quantiles[:, 1] <= actual) & (actual <= quantiles[:, 5])).sum())
    np.testing.assert_allclose(found["errors"], np.mean(errors, axis=0), rtol=1e-4)
    assert (found["count"], sum(found["inside"])) == (12, inside)


# Ratio of the luminances of each text and line to the page behind it, and what a reader meets besides.
LOOK = """
const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
const measure = ([red, green, blue]) => [red, green, blue]
    .map((part) => (part <= 10.31 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
const compare = (left, right) => (Math.max(left, right) + 0.05) / (Math.min(left, right) + 0.05);
const findBack = (element) => {
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour[3] !== 0 ? colour : findBack(element.parentElement);
};
const texts = [...document.querySelectorAll("main *")].filter((element) => element.checkVisibility()
    && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
const ratios = texts.map((element) => {
    const style = getComputedStyle(element), colour = element.closest("svg") ? style.fill : style.color;
    return [compare(measure(parse(colour)), measure(findBack(element))), element.outerHTML.slice(0, 80)];
});
const lines = ["past", "network", "theta", "naive"].map((name) => {
    const line = document.querySelector(`#chart .${name}`);
    return compare(measure(parse(getComputedStyle(line).stroke)), measure(findBack(line)));
});
const controls = [...document.querySelectorAll("button, input, select, textarea, [tabindex]")];
return {
    background: parse(getComputedStyle(document.body).backgroundColor),
    texts: ratios.length, low: ratios.filter(([ratio]) => ratio < 4.5), lines: Math.min(...lines),
    nameless: controls.filter((control) => !(control.labels?.length || control.ariaLabel || control.textContent.trim()))
        .map((control) => control.outerHTML),
    unreached: controls.filter((control) => control.tabIndex < 0).length,
    width: document.documentElement.scrollWidth, requests: performance.getEntriesByType("resource").length,
};
"""


@pytest.fixture(params=[(width, is_dark) for width in (390, 1400) for is_dark in (False, True)])
def look(run: Run, request: pytest.FixtureRequest) -> SimpleNamespace:
    """The page on a narrow and on a wide screen, light and dark: `width`, `is_dark` and what was `seen`."""
    width, is_dark = request.param
    return SimpleNamespace(width=width, is_dark=is_dark, seen=run(LOOK, width, is_dark))


def test_page_follows_the_colours_of_the_system(look: SimpleNamespace) -> None:
    assert (max(look.seen["background"]) < 40) == look.is_dark


def test_texts_of_the_page_are_legible(look: SimpleNamespace) -> None:
    assert look.seen["texts"] > 60
    assert look.seen["low"] == []
    assert look.seen["lines"] >= 3


def test_controls_of_the_page_can_be_used(look: SimpleNamespace) -> None:
    """By name and by keyboard."""
    assert look.seen["nameless"] == []
    assert look.seen["unreached"] == 0


def test_page_fits_the_width_without_requests(look: SimpleNamespace) -> None:
    assert look.seen["width"] <= look.width
    assert look.seen["requests"] == 0


def test_equal_errors_name_each_method(run: Run) -> None:
    found = run(
        """find("text").value = "5\\n5\\n5\\n5\\n5\\n5\\n5\\n5";
        update();
        return [find("verdict").textContent, makeFormat([-1, 1])(-1e-9), makeFormat([-1, 1])(-0.5)];"""
    )
    assert "origin: pretrained GRU, Theta, last value." in found[0]


def test_zero_has_no_sign(run: Run) -> None:
    found = run(
        """find("text").value = "5\\n5\\n5\\n5\\n5\\n5\\n5\\n5";
        update();
        return [find("verdict").textContent, makeFormat([-1, 1])(-1e-9), makeFormat([-1, 1])(-0.5)];"""
    )
    assert found[1:] == ["0.00", "-0.50"]


def test_policy_of_the_page_refuses_requests(run: Run) -> None:
    """Even a script in the page cannot send anything."""
    refused = run(
        """const events = [];
        addEventListener("securitypolicyviolation", (event) => events.push(event.effectiveDirective));
        const isSent = navigator.sendBeacon("https://localhost:1/", "1");
        new Image().src = "https://localhost:1/";
        await fetch("https://localhost:1/").catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 100));
        return events;""",
        is_quiet=False,
    )
    assert set(refused) == {"connect-src", "img-src"}


def test_every_number_that_is_shown_is_finite(run: Run) -> None:
    """Of series that are constant, huge, tiny, sparse or short, with each season."""
    found = run(
        """let seed = 1;
        const draw = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
        const kinds = [() => 5, () => 2, () => 0, () => 1e90 * draw(), () => 1e-90 * draw(),
            () => +(draw() < 0.1), () => -draw(), () => 1e15 + draw(), () => (draw() < 0.05 ? 1e9 : draw()),
            () => Math.round(3 * draw())];
        const wrong = [];
        for (const kind of kinds)
            for (const size of [3, 4, 60])
                for (const season of ["1", "12", "96"]) {
                    find("text").value = range(size).map(kind).join("\\n");
                    find("season").value = season;
                    guessed.add("horizon");
                    update();
                    const shown = find("results").innerText + find("chart").innerHTML + find("gates").innerHTML;
                    if (/NaN|Infinity|undefined/.test(shown) || find("message").className)
                        wrong.push([String(kind), size, season, find("message").textContent]);
                }
        return wrong;"""
    )
    assert found == []
