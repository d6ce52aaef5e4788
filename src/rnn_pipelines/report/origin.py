"""The footer of a page with the name of its run, which is known only when the page is saved."""

from markupsafe import escape

# The placeholder at the end of every page.
PLACE = '<footer class="run"></footer>'


def name_run(page: str, run: str | None) -> str:
    """Return the page with the name of its run at the end; unchanged if there is no run."""
    return page if run is None else page.replace(PLACE, f"{PLACE[:-9]}Run {escape(run)}{PLACE[-9:]}")
