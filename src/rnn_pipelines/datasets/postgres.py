"""The way to a PostgreSQL server, and errors that say what to do; its libraries are loaded with its first use."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kedro.io.core import DatasetError

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.exc import DBAPIError

VARIABLE = "RNN_POSTGRES_URL"
FORM = "postgresql://user:password@host:5432/database"
# Where the URL says nothing else; libpq would wait for minutes.
CONNECTING = {"connect_timeout": "10", "fallback_application_name": "rnn-pipelines"}

# Predefined roles, of which a superuser is a member, too.
SERVER_RIGHTS = ("pg_execute_server_program", "pg_write_server_files")
READ_ONLY = "-c default_transaction_read_only=on"

# What to do, by SQLSTATE; of other errors the reason says enough.
ADVICE = {
    "42501": "Ask whoever looks after the server for this right.",
    "42601": "Correct the query in the catalog; it has to be one statement.",
    "42703": "Correct the query in the catalog.",
    "42P01": "Create it, or name the one that you have in the catalog.",
    "55P03": "Another run holds the table. Run this one again when that has ended.",
}
CHECK_URL = f"See that the server runs, and that {VARIABLE} has the right host, port, database, user and password."
BROKEN_OFF = "The connection broke off; what was being written counts as a whole or not at all. Run it again."


def make_engine_options(credentials: Mapping[str, Any] | None) -> dict[str, Any]:
    """What SQLAlchemy's `create_engine` needs to know.

    Args:
        credentials: `con`, the URL of the server; all else is handed on.
    Returns:
        `con`, checked, and keyword arguments. Connections end with their use, and no error lists values.
    Raises:
        DatasetError: libraries are missing, no server is named, or its URL can't be read. No part of the URL stands
            in the message, because anything in it may be the password.
    """
    try:
        import psycopg  # noqa: F401
        from sqlalchemy import NullPool, make_url
        from sqlalchemy.exc import ArgumentError
    except ImportError as error:
        raise DatasetError(
            f'PostgreSQL: a library is missing ({error}). Install it: pip install "rnn-pipelines[postgres]".'
        ) from error
    options = dict(credentials or {})
    given = options.pop("con", None)
    if not given:
        raise DatasetError(f"PostgreSQL: no server is named. Set the environment variable {VARIABLE} to {FORM}.")
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        # Without the cause, which quotes what it could not read.
        raise DatasetError(f"PostgreSQL: the URL of the server can't be read; expected {FORM}.") from None
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise DatasetError(f"PostgreSQL: expected a URL of the form {FORM}, received one of another kind.")
    # What stands before such an @ would be taken for a host or a database, and errors name those.
    if given.count("@") > (url.username is not None):
        raise DatasetError(
            "PostgreSQL: the URL of the server has an @ too many. Write one in user or password as %40, and / as %2F."
        )
    url = url.update_query_dict({name: value for name, value in CONNECTING.items() if name not in url.query})
    con = url.render_as_string(hide_password=False)
    return {"poolclass": NullPool, "hide_parameters": True, **options, "con": con}


def restrict_to_reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same options for connections on which nothing can be written.

    A transaction that may only read isn't enough: psycopg sends a query without values as a script, in which `commit;`
    ends the transaction, and what follows may write. One that is prepared, as all are from here on, is one statement,
    or the server refuses it. Whatever transaction comes next on the connection may only read, too.

    Args:
        options: of `make_engine_options`.
    """
    from sqlalchemy import make_url

    given = options.get("connect_args", {})
    said = given.get("options", make_url(options["con"]).query.get("options", ""))
    return {**options, "connect_args": {**given, "options": f"{said} {READ_ONLY}".strip(), "prepare_threshold": 0}}


def refuse_powerful_user(connection: "Connection", label: str) -> None:
    """Refuses a user for whom a transaction that may only read is no limit.

    `copy … to program` runs programs in it, and `set role` to a user with fewer rights is undone by a block of code
    (`do`), which is one statement.

    Args:
        connection: of the user.
        label: see `connect`.
    Raises:
        DatasetError: the user is a superuser, or has the right to run programs or to write files on the server.
    """
    from sqlalchemy import func, select

    rights = [func.pg_has_role(func.session_user(), right, "MEMBER") for right in SERVER_RIGHTS]
    if any(connection.execute(select(*rights)).one()):
        raise DatasetError(
            f"{label}: the user of {VARIABLE} is a superuser, or may run programs or write files on the server. "
            "A query could do more than read. Name a user without these rights; docs/data.md says how to make one."
        )


@contextmanager
def connect(credentials: Mapping[str, Any] | None, label: str) -> Iterator["Connection"]:
    """A connection with one transaction, which is committed at the end, or leaves everything as it was.

    Args:
        credentials: see `make_engine_options`.
        label: what errors begin with.
    Raises:
        DatasetError: what went wrong on the way or at the server, and what to do.
    """
    options = make_engine_options(credentials)
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError

    try:
        with create_engine(options.pop("con"), **options).begin() as connection:
            yield connection
    except DBAPIError as error:
        # Its reason is in the message; the way through the libraries tells nobody more.
        raise explain(error, label) from None


def explain(error: "DBAPIError", label: str) -> DatasetError:
    """What the driver or the server found, in one line, with what to do about it."""
    from sqlalchemy.exc import OperationalError

    found: Any = error.orig
    reason = " ".join((found.diag.message_primary or str(found)).split())
    if error.connection_invalidated:
        advice = BROKEN_OFF
    elif found.sqlstate is None and isinstance(error, OperationalError):
        advice = CHECK_URL
    else:
        advice = ADVICE.get(found.sqlstate, "")
    return DatasetError(f"{label}: {reason.rstrip('.?')}. {advice}".rstrip())
