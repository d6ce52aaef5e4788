"""Take the pictures of the index from reports of runs, with Chromium: `.venv/bin/python docs/gallery.py [picture …]`.

The commands of `PICTURES` come first, in the folder of the project. A report whose run is missing ends the script.
"""

import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageChops

PROJECT = Path(__file__).parents[1]
IMAGES = PROJECT / "docs/images"
MAX_BYTES, NUM_COLOURS, MARGIN = 60_000, 128, 16
FORECAST = "make forecast"
COMPARE = 'make compare PARAMS="compare.plan.tasks=noisy_sine temperature,compare.plan.seeds=3"'


class Picture(NamedTuple):
    """A part of a report.

    Attributes:
        command: makes the run.
        pipeline: of the report, `data/08_reporting/<pipeline>/report.html`.
        section: its heading.
        part: number of the figure or table in the section, from 1.
        height, width: in pixels of the browser.
    """

    command: str
    pipeline: str
    section: str
    part: int = 1
    height: int = 520
    width: int = 1000


PICTURES = {
    "gallery-next-values": Picture(FORECAST, "forecast", "Next values"),
    "gallery-comparison": Picture(
        FORECAST, "forecast", "Comparison of the methods", height=620, width=1200
    ),
    "gallery-contributions": Picture(FORECAST, "forecast", "Contributions to the forecasts"),
    "gallery-coverage": Picture(FORECAST, "forecast", "Intervals", 2),
    "gallery-curves": Picture(COMPARE, "compare", "Learning curves"),
    "gallery-gates": Picture("make internals", "internals", "LSTM on a series"),
}


def take_picture(name: str, picture: Picture) -> None:
    """Write `docs/images/<name>.png` in few colours.

    Raises:
        SystemExit: the report or its section is missing.
    """
    report = PROJECT / f"data/08_reporting/{picture.pipeline}/report.html"
    if not report.exists():
        raise SystemExit(
            f"{name}: there is no {report.relative_to(PROJECT)}: run {picture.command}."
        )
    page = report.read_text()
    section = page.partition(f">{picture.section}</h2>")[2].partition("</section>")[0]
    parts = re.findall(
        r'<figure>.*?</figure>|<div class="table.*?</table></div>', section, re.DOTALL
    )
    if len(parts) < picture.part:
        raise SystemExit(
            f"{name}: {report.relative_to(PROJECT)} has no part {picture.part} of {picture.section!r}."
        )
    head, _, rest = page.partition("<main>")
    shown = f"{head}<main>{parts[picture.part - 1]}</main>{rest.partition('</main>')[2]}"
    shown = shown.replace(
        "</head>",
        "<style>main{padding:0 16px!important} figure,.table{margin:0!important}</style></head>",
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "page.html")
        source.write_text(shown)
        write_screenshot(source.as_uri(), IMAGES / f"{name}.png", picture.width, picture.height)


def write_screenshot(address: str, target: Path, width: int, height: int) -> None:
    """Write a picture of a page in few colours, as the browser shows it after ten seconds.

    Raises:
        SystemExit: the picture is too large.
    """
    written = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder, "page.png")
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=10000"]
        size = [f"--window-size={width},{height}", f"--screenshot={shot}"]
        subprocess.run(
            ["chromium", *options, *size, address], check=True, capture_output=True, timeout=60
        )
        picture = Image.open(shot).convert("RGB")
        # The empty part below the content is cut off.
        content = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
        bottom = min(content[3] + MARGIN, height) if content else height
        cut = picture.crop((0, 0, width, bottom))
        cut.quantize(NUM_COLOURS).save(written, "PNG", optimize=True)
    if written.tell() > MAX_BYTES:
        raise SystemExit(f"{target.name}: {written.tell():,} bytes are more than {MAX_BYTES:,}.")
    target.write_bytes(written.getvalue())


if __name__ == "__main__":
    for chosen in sys.argv[1:] or PICTURES:
        take_picture(chosen, PICTURES[chosen])
