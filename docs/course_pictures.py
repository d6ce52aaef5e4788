"""Take the pictures of the course's figures, with Chromium: `.venv/bin/python docs/course_pictures.py [page …]`.

The repository shows them in the place of the figures, which react on the site alone. The picture of a page without a
figure is drawn from the numbers that its code has saved.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from course_figures import build_figures
from gallery import write_screenshot
from matplotlib.patches import Rectangle

COURSE = Path(__file__).parent / "course"
WIDTH = 900
# The figure of a page, with the part of its address after the path, and its height in pixels.
FIGURE = re.compile(r'<object [^>]*data="\.\./figures/(\w+)\.html(#[\w-]+)?"[^>]*height: (\d+)px')

# The page whose picture is drawn.
DRAWN = "15-as-often-taught"
# What a reader of the page does first: ten steps of the cell, and a whole training without waiting for the screen.
TEN_STEPS = "[...document.querySelectorAll('button')].find((button) => button.textContent === 'Ten steps').click();"
TRAINING = "do learn(); while (run.losses.length <= EPOCHS); stop();"
USES = {
    "02-lstm-cell": TEN_STEPS,
    "03-gru-cell": TEN_STEPS,
    "09-sine-lstm": TRAINING,
    "10-sine-gru": TRAINING,
}


def take_picture(page: Path, folder: Path) -> None:
    """Write `docs/course/images/<page>.png`.

    Raises:
        SystemExit: the page shows no figure, or the picture is too large.
    """
    figure = FIGURE.search(page.read_text())
    if figure is None:
        raise SystemExit(f"{page.name} shows no figure: add an `object` with its address.")
    name, part, height = figure.groups()
    content = (folder / f"{name}.html").read_text()
    content = content.replace("</body>", f"<script>{USES.get(page.stem, '')}</script></body>")
    shown = folder / f"{page.stem}.html"
    shown.write_text(content)
    write_screenshot(
        shown.as_uri() + (part or ""), COURSE / "images" / f"{page.stem}.png", WIDTH, int(height)
    )


def draw_mistakes() -> None:
    """Draw the picture of page 15: arrays of the LSTM that reads its state twice, and changes of outputs by block."""
    changes = json.loads((COURSE / "figures/mistakes.json").read_text())
    blue, red, quiet = "#0072b2", "#d1495b", "#b8c0cc"
    _, (arrays, bars) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    # The first row, the number of rows and the colour of each part.
    parts = {
        "kernel, rows of x": (21, 5, blue),
        "kernel, rows of h: read a first time": (11, 10, red),
        "recurrent kernel: h read again": (0, 10, quiet),
    }
    for name, (row, num_rows, colour) in parts.items():
        text = "black" if colour == quiet else "white"
        arrays.add_patch(Rectangle((0, row), 40, num_rows, fc=colour, ec="white"))
        arrays.text(20, row + num_rows / 2, name, color=text, ha="center", va="center")
    for block, gate in enumerate("ifgo"):
        arrays.text(10 * block + 5, 26.5, gate, ha="center")
    arrays.set(xlim=(0, 40), ylim=(0, 29), title="LSTM(10) on 5 inputs: 1,040 for 640 parameters")
    arrays.axis("off")
    for place, (name, colour) in enumerate({"slide": red, "right": blue}.items()):
        positions = [block + 0.38 * (place - 0.5) for block in range(3)]
        drawn = bars.bar(positions, changes[name], 0.36, color=colour, label=name)
        bars.bar_label(drawn, fmt="%.2f", fontsize=9)
    bars.set_xticks(range(3), ["update z", "reset r", "candidate g"])
    bars.set(title="GRU(10): change of the output\nif all weights of a block change by 5")
    bars.set_ylim(0, 2.3)
    bars.spines[["top", "right"]].set_visible(False)
    bars.legend(frameon=False)
    plt.savefig(COURSE / "images" / f"{DRAWN}.png", dpi=100)
    plt.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, content in build_figures().items():
            Path(folder, f"{name}.html").write_text(content)
        names = sys.argv[1:] or sorted(path.stem for path in COURSE.glob("[0-9]*.md"))
        for name in names:
            if name == DRAWN:
                draw_mistakes()
            else:
                take_picture(COURSE / f"{name}.md", Path(folder))
