"""A report on the results of a run, from which both its page and its summary for a terminal come."""

from collections.abc import Sequence
from dataclasses import dataclass

from rnn_pipelines.report.page import Section, Table, render_page
from rnn_pipelines.report.terminal import summarize


@dataclass(frozen=True)
class Report:
    """The sentences, tables and figures on some results.

    Attributes:
        title: of the page.
        verdict: the answer in a few sentences, with which both page and summary begin.
        sections: of the page.
        summary: the texts and tables of the page that a terminal shows after the verdict.
    """

    title: str
    verdict: str
    sections: Sequence[Section]
    summary: Sequence[str | Table] = ()

    def render(self) -> str:
        """Return the page, which loads nothing else; see `render_page`."""
        return render_page(self.title, self.verdict, self.sections)

    def summarize(self) -> str:
        """Return verdict and summary, wrapped and cut to fit a terminal."""
        return summarize([self.verdict, *self.summary])
