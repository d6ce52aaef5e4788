"""Connections to a PostgreSQL server, and errors with advice; imported only if the catalog names a table of one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from kedro.io.core import DatasetError
from sqlalchemy import Connection, NullPool, create_engine, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

VARIABLE = "RNN_POSTGRES_URL"
FORM = "postgresql://user:password@host:5432/database"
# Defaults that the URL can override. libpq's own timeout is minutes.
CONNECTING = {"connect_timeout": "10", "fallback_application_name": "rnn-pipelines"}
# Times and floating numbers are read as text, which the settings of the server or user must not change.
TEXT_FORMAT = (
    "select set_config('datestyle', 'ISO', true), set_config('extra_float_digits', '3', true)"
)

# Predefined roles; a superuser is a member of each.
SERVER_RIGHTS = ("pg_execute_server_program", "pg_write_server_files")
READ_ONLY = "-c default_transaction_read_only=on"

# Advice by SQLSTATE. For other errors, the server's message is sufficient.
ADVICE = {
    "42501": "Ask the administrator of the server for this right.",
    "42601": "Correct the query in the catalog. It must be one statement that selects rows.",
    "42703": "Correct the query in the catalog.",
    "42P01": "Create the table, or name an existing one in the catalog.",
    "55P03": "Another run holds the table. Run again when it has ended.",
}
CHECK_URL = f"Check that the server runs, and that {VARIABLE} has the right host, port, database, user and password."
# Classes of SQLSTATE of a lost connection: connection exceptions, and interventions of an operator.
LOST = ("08", "57P")
UNREADABLE = "A value of the table has no equivalent in Python. Change it, or leave its row out in the query."
BROKEN_OFF = "The connection was lost. A write is complete or has no effect. Run again."


def make_engine_options(credentials: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return `con`, the checked URL of the server, and the other arguments of SQLAlchemy's `create_engine`.

    Connections are not pooled, and errors do not list values. Raise a DatasetError if the URL is missing or invalid.
    The message quotes no part of the URL, because any part may be the password.
    """
    options = dict(credentials or {})
    given = options.pop("con", None)
    if not given:
        raise DatasetError(
            f"PostgreSQL: no server is named. Set the environment variable {VARIABLE} to {FORM}."
        )
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        # Without the cause, which quotes the URL.
        raise DatasetError(
            f"PostgreSQL: the URL of the server can't be read; expected {FORM}."
        ) from None
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise DatasetError(
            f"PostgreSQL: expected a URL of the form {FORM}, received one of another kind."
        )
    # With an unescaped @, a part of the password would become the host or database, which errors quote.
    if given.count("@") > (url.username is not None):
        message = "PostgreSQL: the URL of the server has too many @. Write @ in user or password as %40, and / as %2F."
        raise DatasetError(message)
    url = url.update_query_dict(
        {name: value for name, value in CONNECTING.items() if name not in url.query}
    )
    con = url.render_as_string(hide_password=False)
    return {"poolclass": NullPool, "hide_parameters": True, **options, "con": con}


def restrict_to_reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same options for read-only connections, with one snapshot for each transaction.

    A read-only transaction alone is not enough: psycopg sends a query without values as a script, in which `commit;`
    ends the transaction, and later statements may write. Therefore every query is prepared, because the server rejects
    a prepared query of several statements, and every transaction of the connection is read-only.
    """
    given = options.get("connect_args", {})
    existing = given.get("options", make_url(options["con"]).query.get("options", ""))
    return {
        **options,
        "connect_args": {
            **given,
            "options": f"{existing} {READ_ONLY}".strip(),
            "prepare_threshold": 0,
        },
        "execution_options": {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"},
    }


def refuse_powerful_user(connection: Connection, label: str) -> None:
    """Raise a DatasetError if the user has rights that a read-only transaction does not limit, as a superuser has.

    `copy … to program` runs programs even in such a transaction. `set role` to a user with fewer rights is no remedy,
    because a block of code (`do`), which is one statement, can undo it.
    """
    rights = [func.pg_has_role(func.session_user(), right, "MEMBER") for right in SERVER_RIGHTS]
    if any(connection.execute(select(*rights)).one()):
        raise DatasetError(
            f"{label}: the user of {VARIABLE} is a superuser, or may run programs or write files on the server. "
            "A query could do more than read. Name a user without these rights, see docs/how-to/postgresql.md."
        )


@contextmanager
def connect(
    credentials: Mapping[str, Any] | None, label: str, *, is_read_only: bool = False
) -> Iterator[Connection]:
    """Yield a connection with one transaction, which is committed at the end, or rolled back after an error.

    A read-only transaction sees the same rows in all its statements. If the connection or a statement fails, raise a
    DatasetError with the reason and advice.
    """
    options = make_engine_options(credentials)
    if is_read_only:
        options = restrict_to_reading(options)
    try:
        with create_engine(options.pop("con"), **options).begin() as connection:
            if not is_read_only:
                connection.exec_driver_sql(TEXT_FORMAT)
            yield connection
    # Without the cause, because the message has the reason and the traceback of the libraries adds nothing.
    except DBAPIError as error:
        raise _explain(error.orig, error.connection_invalidated, label) from None
    except psycopg.Error as error:
        # Of a `copy` or of the values of rows, which SQLAlchemy does not know.
        is_lost = isinstance(error, psycopg.OperationalError) and (
            not error.sqlstate or error.sqlstate.startswith(LOST)
        )
        raise _explain(error, is_lost, label) from None


def _explain(error: Any, is_lost: bool, label: str) -> DatasetError:
    """Return an error with the reason of the driver or server and advice, on one line."""
    reason = " ".join((error.diag.message_primary or str(error)).split())
    if is_lost:
        advice = BROKEN_OFF
    elif error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        advice = CHECK_URL
    elif error.sqlstate is None and isinstance(error, psycopg.DataError):
        advice = UNREADABLE
    else:
        advice = ADVICE.get(error.sqlstate, "")
    return DatasetError(f"{label}: {reason.rstrip('.?')}. {advice}".rstrip())
