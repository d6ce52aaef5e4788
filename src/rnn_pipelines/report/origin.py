"""Where a page names the run that made it, which only whoever saves the page knows."""

from markupsafe import escape

# At the end of every page.
PLACE = '<footer class="run"></footer>'


def name_run(page: str, run: str | None) -> str:
    """The page with the name of its run at its end; as it is where there is no run."""
    return page if run is None else page.replace(PLACE, f"{PLACE[:-9]}Run {escape(run)}{PLACE[-9:]}")
