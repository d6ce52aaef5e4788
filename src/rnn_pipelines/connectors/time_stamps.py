"""Time stamps of a log by a third party (RFC 3161), which the program `openssl` writes and verifies.

A stamp and its token are two files of one name in a folder: `HASH.json`, whose sha256 is HASH, and `HASH.tsr`. Nobody
needs this project to verify them: `openssl ts -verify -data HASH.json -in HASH.tsr -CAfile CERTIFICATE`.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from rnn_pipelines.connectors.posting import post
from rnn_pipelines.errors import ChampionError, ParameterError
from rnn_pipelines.storage.files import replace_file
from rnn_pipelines.storage.formats import dump_object, read_object
from rnn_pipelines.storage.lock import hold_lock

QUERY_TYPE = "application/timestamp-query"
STAMP, TOKEN, CERTIFICATE = ".json", ".tsr", ".pem"
OPENSSL_SECONDS = 60
GRANTED = re.compile(r"Status: Granted")
HASH = re.compile(r"Hash Algorithm: sha256\nMessage data:\n((?: +[0-9a-f]{4} - .*\n)+)")
TIME = re.compile(r"Time stamp: (\w{3} +\d+ [\d:]{8})(\.\d+)? (\d{4}) GMT")
# As openssl writes an error: number, "error", code, library, function, reason, file, line, further words.
REASON = re.compile(r":error:[^:]*:[^:]*:[^:]*:([^:]*):[^:]*:\d+:(.*)")


@dataclass(frozen=True)
class TimeStamp:
    """A token that is kept, with the stamp that it covers; empty if that is missing or was changed."""

    path: Path
    time: datetime  # UTC, by the clock of the authority
    stamp: dict[str, Any]


def keep_stamp(folder: Path, stamp: Mapping[str, Any]) -> Path:
    """Keep a stamp, and return the path that its token has or will have."""
    content = dump_object(stamp)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sha256(content).hexdigest()}{STAMP}"
    replace_file(path, content)
    return path.with_suffix(TOKEN)


def make_query(token: Path) -> bytes:
    """Return the query for the token of a stamp that is kept."""
    return _run("-query", "-sha256", "-cert", "-data", str(token.with_suffix(STAMP)))


def request_token(token: Path, url: str) -> None:
    """Request the token of a stamp from an authority, and keep it; raise a ChampionError if there is none."""
    try:
        answer = post(url, make_query(token), QUERY_TYPE, "the query for a time stamp")
    except ConnectionError as error:
        raise ChampionError(f"{error}. The stamp is kept; run the command again.") from None
    keep_token(token.parent, answer, "the answer")


def keep_reply(folder: Path, path: Path) -> None:
    """Keep the token of a file, see `keep_token`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ParameterError(
            f"{path}: it can't be read ({error.strerror}). Name an authority's reply."
        ) from None
    keep_token(folder, content, path)


def keep_token(folder: Path, content: bytes, name: object) -> None:
    """Keep a token whose stamp is in a folder, without replacing another; `name` is for messages."""
    hashed, _ = _read_token(content, name)
    path = folder / f"{hashed}{TOKEN}"
    if not path.with_suffix(STAMP).exists():
        raise ChampionError(
            f"{name}: it is a token of another content. Its query must come from --query of this log."
        )
    with hold_lock(folder / "time_stamps.lock", OPENSSL_SECONDS):
        if not path.exists():
            replace_file(path, content)
        elif path.read_bytes() != content:
            raise ChampionError(f"{path}: it holds another token, and nothing is overwritten.")


def read_tokens(folder: Path) -> list[TimeStamp]:
    """Return the tokens of a folder, the earliest first; they are not verified."""
    tokens = [_read(path) for path in folder.glob(f"*{TOKEN}")]
    return sorted(tokens, key=lambda token: token.time)


def _read(path: Path) -> TimeStamp:
    hashed, time = _read_token(path.read_bytes(), path)
    stamp = path.with_suffix(STAMP)
    try:
        content = stamp.read_bytes()
        fields = read_object(content, stamp)
    except (OSError, ValueError):
        return TimeStamp(path, time, {})
    return TimeStamp(path, time, fields if sha256(content).hexdigest() == hashed else {})


def verify_token(token: TimeStamp, certificates: Sequence[Path]) -> str | None:
    """Return the name of the authority whose certificate verifies a token; None without certificates.

    Raise a ChampionError if none of them does.
    """
    reasons = []
    # The certificate of an authority may have ended since; it must have been valid at the time of the token.
    at = str(int(token.time.timestamp()))
    data = str(token.path.with_suffix(STAMP))
    for certificate in certificates:
        name = _name_authority(certificate)
        given = ("-data", data, "-in", str(token.path), "-CAfile", str(certificate))
        try:
            _run("-verify", *given, "-attime", at)
        except ChampionError as error:
            reasons.append(f"{certificate}: {error}")
        else:
            return name
    if reasons:
        raise ChampionError(
            f"{token.path}: no certificate verifies this token ({'; '.join(reasons)}). Name that of its authority "
            f"by --authority, or move the token and its {STAMP} file away."
        )
    return None


def _read_token(content: bytes, name: object) -> tuple[str, datetime]:
    """Return the sha256 and the time that a token names; raise a ChampionError if it is none."""
    try:
        text = _run("-reply", "-text", "-in", "/dev/stdin", content=content).decode(
            errors="replace"
        )
    except ChampionError as error:
        raise ChampionError(f"{name}: expected a time stamp of RFC 3161 ({error}).") from None
    hashed, time = HASH.search(text), TIME.search(text)
    if not GRANTED.search(text) or hashed is None or time is None:
        status = " ".join(text.split("\n\n")[0].split())
        raise ChampionError(f"{name}: the authority has given no token of a sha256 ({status}).")
    lines = hashed[1].splitlines()
    digits = "".join(re.findall(r"[0-9a-f]{2}(?=[ -])", "".join(line[11:59] for line in lines)))
    day, fraction, year = time.groups(default=".0")
    moment = datetime.strptime(f"{day}{fraction} {year}", "%b %d %H:%M:%S.%f %Y")
    return digits, moment.replace(tzinfo=UTC)


def _name_authority(certificate: Path) -> str:
    try:
        words = _run(
            "-noout", "-subject", "-nameopt", "RFC2253", "-in", str(certificate), of="x509"
        )
    except ChampionError as error:
        raise ParameterError(
            f"{certificate}: expected the certificate of an authority as PEM ({error})."
        ) from None
    return words.decode(errors="replace").strip().removeprefix("subject=")


def _run(*words: str, content: bytes | None = None, of: str = "ts") -> bytes:
    """Run openssl, and return its output; raise a ChampionError with its reason if it fails."""
    program = shutil.which("openssl")
    if program is None:
        raise ChampionError("time stamps need the program openssl. Install OpenSSL 3.")
    try:
        finished = subprocess.run(
            [program, of, *words],
            input=content,
            stdin=subprocess.DEVNULL if content is None else None,
            capture_output=True,
            timeout=OPENSSL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ChampionError(f"openssl took longer than {OPENSSL_SECONDS} seconds") from None
    if finished.returncode:
        said = finished.stderr.decode(errors="replace")
        reasons = [": ".join(filter(None, match)) for match in REASON.findall(said)]
        raise ChampionError(reasons[0] if reasons else said)
    return finished.stdout
