"""The FILE of a command: a path, `-` for the standard input, or an address, whose table becomes a temporary file."""

import re
import sys
import time
from base64 import b64encode
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Self
from urllib.parse import unquote, urlsplit

import click

from rnn_pipelines.errors import RunError, make_line

STANDARD_INPUT = "-"
MAX_BYTES = 200_000_000
# Without data, and for the whole file.
TIMEOUT_SECONDS = 30
MAX_SECONDS = 300
CHUNK_BYTES = 1_000_000


class InputFile(str):
    """The path of a file to read, with its name in messages and reports."""

    label: str

    def __new__(cls, path: str, label: str) -> Self:
        file = super().__new__(cls, path)
        file.label = label
        return file


class InputType(click.Path):
    """Converts the argument FILE to an `InputFile`; a temporary file is removed with the context of the command."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file; a RunError if an address can't be read, or holds too much."""
        if ctx is None or ctx.resilient_parsing:
            return value
        if value == STANDARD_INPUT:
            content = _read_limited(sys.stdin.buffer, "standard input")
            return _store(ctx, content, "stdin.csv", "standard input")
        if re.match(r"https?://", value, re.IGNORECASE):
            return _download(ctx, value)
        if scheme := re.match(r"[a-z][a-z0-9+.-]+://", value, re.IGNORECASE):
            # The rest may hold a password.
            raise RunError(
                f"FILE: expected a path or an address with http:// or https://, received one with {scheme[0]}. "
                "Download the file yourself, and give its path."
            )
        return InputFile(value, value)


# The argument of all commands that read a table.
FILE = click.argument("file", type=InputType())


def _store(context: click.Context, content: bytes, name: str, label: str) -> InputFile:
    folder = TemporaryDirectory(prefix="rnn-pipelines-")
    context.call_on_close(folder.cleanup)
    path = Path(folder.name) / name
    path.write_bytes(content)
    return InputFile(str(path), label)


def _download(context: click.Context, url: str) -> InputFile:
    """Download a table. Users and passwords of an address, and its query, are in no message and no report."""
    from urllib.request import Request, urlopen

    try:
        address = urlsplit(url)
    except ValueError as error:
        raise RunError("FILE: the address is invalid. Check its host.") from error
    host = address.netloc.rpartition("@")[2]
    label = make_line(f"{address.scheme}://{host}{address.path}")
    request = Request(address._replace(netloc=host, fragment="").geturl())
    if address.username is not None:
        user = f"{unquote(address.username)}:{unquote(address.password or '')}"
        request.add_unredirected_header(
            "Authorization", f"Basic {b64encode(user.encode()).decode()}"
        )
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            kind = response.headers.get_content_type()
            content = _read_limited(response, label)
    except (OSError, HTTPException, ValueError) as error:
        # The text of other errors can have the query.
        reason = make_line(getattr(error, "reason", type(error).__name__), 200)
        code = f"HTTP {error.code}, " if hasattr(error, "code") else ""
        raise RunError(
            f"{label}: it can't be downloaded ({code}{reason}). Check the address, or download the file yourself."
        ) from error
    if kind == "text/html":
        raise RunError(
            f"{label}: expected a table, received a web page. Give the address of the file itself."
        )
    name = re.sub(r"[^\w.-]", "_", Path(unquote(address.path)).name)[-100:] or "data"
    if (kind == "text/csv" and ".csv" not in name.lower()) or "." not in name:
        name = f"{name.partition('.')[0]}.csv"
    return _store(context, content, name, label)


def _read_limited(file: BinaryIO, label: str) -> bytes:
    """Return the content of a file; a RunError if it is too large, or takes too long."""
    ends = time.monotonic() + MAX_SECONDS
    content = bytearray()
    while chunk := file.read(CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_BYTES:
            raise RunError(
                f"{label}: expected at most {MAX_BYTES // 10**6:,} MB. Save the file, and give its path."
            )
        if file is not sys.stdin.buffer and time.monotonic() > ends:
            raise RunError(
                f"{label}: no complete file within {MAX_SECONDS} s. Download it, and give its path."
            )
    return bytes(content)
