"""One HTTP POST, with a limit for the whole exchange."""

import re
import threading
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from rnn_pipelines.errors import make_line

# From the connection to the end of the answer.
TIMEOUT_SECONDS = 10.0
# An answer is read up to this size.
MAX_BYTES = 1 << 20


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET without the message."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(url: str, content: bytes, content_type: str, name: str) -> bytes:
    """Send content to an address that begins with http:// or https://, and return the answer.

    Raise a ConnectionError with the server, the `name` of the content and the reason, without other parts of the
    address, which may hold a secret, and without words of the server.
    """
    answers: list[bytes] = []
    reasons: list[str] = []
    # A server that answers byte by byte keeps each single attempt below its limit. The thread ends with the process.
    arguments = (url, content, content_type, answers, reasons)
    sender = threading.Thread(target=_send, args=arguments, daemon=True)
    sender.start()
    sender.join(TIMEOUT_SECONDS)
    if answers:
        return answers[0]
    reason = reasons[0] if reasons else f"timed out after {TIMEOUT_SECONDS:g} seconds"
    server = re.sub(r"^\w+://(?:[^/?#]*@)?([^/?#:]*).*", r"\1", url, flags=re.DOTALL)
    raise ConnectionError(f"{server}: {name} could not be sent ({reason})")


def _send(
    url: str, content: bytes, content_type: str, answers: list[bytes], reasons: list[str]
) -> None:
    """Send content, and add the answer, or the reason in words if that fails."""
    headers = {"Content-Type": content_type, "User-Agent": "rnn-pipelines"}
    try:
        request = urllib.request.Request(url, content, headers, method="POST")
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            answers.append(answer.read(MAX_BYTES))
    except HTTPError as error:
        reasons.append(f"the server answered {error.code}")
    except OSError as error:
        reasons.append(make_line(error))
    # These quote parts of the address.
    except (HTTPException, ValueError) as error:
        reasons.append(type(error).__name__)
