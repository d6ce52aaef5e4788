"""Pages in a browser without a window and without a network."""

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium")
# The element into which a page under test writes its result, as JSON.
RESULT = re.compile(r'<pre id="result"[^>]*>(.*?)</pre>', re.DOTALL)
# The switches of a browser that starts quietly and reaches nothing.
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--proxy-server=127.0.0.1:1",
    "--enable-logging=stderr",
    "--log-level=0",
]


def open_page(path: Path, address: str = "", *switches: str) -> tuple[Any, list[str]]:
    """Opens a page, and returns the JSON in its result and the messages on its console.

    Args:
        address: the part of the address after the path, such as `#check`.
        switches: further ones, such as the size of the window.
    """
    assert CHROMIUM is not None
    profile = path.parent / f"profile-{os.getpid()}"
    command = [
        CHROMIUM,
        *SWITCHES,
        f"--user-data-dir={profile}",
        "--virtual-time-budget=600000",
        *switches,
    ]
    command += ["--dump-dom", f"file://{path}{address}"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    found = RESULT.search(finished.stdout)
    messages = [line for line in finished.stderr.splitlines() if "CONSOLE" in line]
    assert found is not None, (messages, finished.stdout[-2000:], finished.stderr[-2000:])
    return json.loads(unescape(found[1])), messages


def run_script(folder: Path, code: str, content: str) -> Any:
    """Runs a script whose value is the result, after those that it needs; fails if it writes on the console.

    Args:
        content: JSON that the script reads as `content`.
    """
    page = folder / "page.html"
    page.write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><script type="application/json" id="content">{content}</script>'
        f'<pre id="result"></pre><script>{code}\n'
        'document.getElementById("result").textContent = JSON.stringify('
        'run(decode(document.getElementById("content").textContent)));</script>'
    )
    result, messages = open_page(page)
    assert messages == []
    return result


def use_page(page: str, script: str = "reader.js") -> str:
    """A page with a script of this folder, which uses it as a reader does, after `checks.js`."""
    code = "\n".join(Path(__file__).with_name(name).read_text() for name in ("checks.js", script))
    return page.replace("</body>", f"<script>{code}</script></body>")
