"""The footer of a page with the facts of its run, which are known only when the page is saved."""

from collections.abc import Sequence

from markupsafe import escape

from rnn_pipelines.report.page_file import PLACE


def name_run(page: str, run: str | None, facts: Sequence[str] = ()) -> str:
    """Return the page with the name of its run and other facts at the end; unchanged if there is no run."""
    if run is None:
        return page
    text = " · ".join([f"Run {run}", *facts])
    return page.replace(PLACE, f"{PLACE[:-9]}{escape(text)}{PLACE[-9:]}")
