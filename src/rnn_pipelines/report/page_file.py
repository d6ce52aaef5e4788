"""The file of a page. It imports nothing that draws, so that the Python interface can import it at once."""

from pathlib import Path

from rnn_pipelines.errors import RunError
from rnn_pipelines.storage.files import replace_file

# The placeholder of the footer at the end of every page.
PLACE = '<footer class="run"></footer>'


def write_page(path: Path, page: str) -> None:
    """Write a page of `render_page`. An earlier one is replaced; any other file stays.

    Raises:
        RunError: there is a file that is no page of this project.
    """
    try:
        if path.exists() and PLACE not in path.read_text(encoding="utf-8", errors="replace"):
            raise RunError(
                f"{path}: there is a file that is no report of this project. Name another file."
            )
        replace_file(path, page.encode())
    # Python raises a ValueError for invalid paths, such as one with a null character.
    except (OSError, ValueError) as error:
        raise RunError(
            f"{path}: the report can't be written ({error}). Name another file."
        ) from error
