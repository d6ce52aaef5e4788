"""Take the pictures of the course's figures, with Chromium: `.venv/bin/python docs/course_pictures.py [page …]`.

The repository shows them in the place of the figures, which react on the site alone.
"""

import re
import sys
import tempfile
from pathlib import Path

from course_figures import build_figures
from gallery import write_screenshot

COURSE = Path(__file__).parent / "course"
WIDTH = 900
# The figure of a page, with the part of its address after the path, and its height in pixels.
FIGURE = re.compile(r'<object [^>]*data="\.\./figures/(\w+)\.html(#[\w-]+)?"[^>]*height: (\d+)px')

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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, content in build_figures().items():
            Path(folder, f"{name}.html").write_text(content)
        names = sys.argv[1:] or sorted(path.stem for path in COURSE.glob("[0-9]*.md"))
        for name in names:
            take_picture(COURSE / f"{name}.md", Path(folder))
