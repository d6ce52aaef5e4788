"""A PostgreSQL server of the tests' own, and a new database on it for each test."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
import sqlalchemy as sa

# With everything that has a meaning in a URL, too.
PASSWORD = "hunter2@/:%?#pw"
USER = "forecaster"


@dataclass(frozen=True)
class Database:
    """A database whose owner is the user of the project.

    Attributes:
        url: as the project is given it.
        admin: an engine of the server's superuser.
    """

    url: str
    admin: sa.Engine

    @property
    def credentials(self) -> dict[str, str]:
        return {"con": self.url}

    def run(self, *statements: str) -> None:
        """As the superuser; what is made belongs to the user of the project."""
        with self.admin.begin() as connection:
            for statement in (f"set role {USER}", *statements):
                connection.exec_driver_sql(statement)

    def set_zone(self, zone: str) -> None:
        self.run(f"alter database {self.url.rpartition('/')[2]} set timezone = '{zone}'")

    def read(self, query: str) -> list[tuple[Any, ...]]:
        with self.admin.begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def read_marks(self, table: str, key: str) -> dict[Any, str]:
        """For each key, the transaction that wrote its row last."""
        return {row[:-1]: row[-1] for row in self.read(f"select {key}, xmin::text from {table}")}

    def wait_for(self, event: str, seconds: float = 120) -> int:
        """The process on the server that waits for an event: `Lock`, or `PgSleep`; a busy machine takes a while."""
        waits = f"'{event}' in (wait_event_type, wait_event)"
        query = f"select pid from pg_stat_activity where {waits} and usename = '{USER}'"
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := self.read(query):
                return int(found[0][0])
            time.sleep(0.05)
        raise AssertionError(
            f"nobody waits for {event}: {self.read('select * from pg_stat_activity')}"
        )


def find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def server(postgres_programs: Path) -> Iterator[sa.URL]:
    """Starts a server that asks for passwords; initdb refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    options: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL}
    (folder / "password").write_text(PASSWORD)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    port = find_free_port()
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    cluster = [
        "--username=admin",
        "--auth=scram-sha-256",
        "--pwfile=password",
        "--encoding=UTF8",
        "--locale=C",
    ]
    subprocess.run(
        [postgres_programs / "initdb", "--pgdata=data", "--no-sync", *cluster],
        check=True,
        **options,
    )
    control = [postgres_programs / "pg_ctl", "--pgdata=data"]
    subprocess.run(
        [*control, "--wait", "--log=log", f"--options={settings}", "start"], check=True, **options
    )
    yield sa.URL.create("postgresql", "admin", PASSWORD, "127.0.0.1", port, "postgres")
    subprocess.run([*control, "--mode=immediate", "stop"], check=True, **options)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def make_database(server: sa.URL) -> Callable[[], Database]:
    """Makes an empty database."""
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        literal = PASSWORD.replace("%", "%%")
        connection.exec_driver_sql(f"create role {USER} login password '{literal}'")
    names = (f"test_{number}" for number in count())

    def make() -> Database:
        name = next(names)
        with admin.connect() as connection:
            connection.exec_driver_sql(f"create database {name} owner {USER}")
        url = f"postgresql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}/{name}"
        return Database(url, sa.create_engine(server.set(database=name), poolclass=sa.NullPool))

    return make


@pytest.fixture
def database(make_database: Callable[[], Database]) -> Database:
    return make_database()


@pytest.fixture(scope="session")
def make_forecasts() -> Callable[..., pd.DataFrame]:
    """Makes rows as `forecast_newest` returns them, in the order of their keys."""

    def make(num_series: int = 2, num_steps: int = 3, first: Any = "2024-01-02") -> pd.DataFrame:
        is_date = isinstance(first, str)
        ds = pd.date_range(first, periods=num_steps) if is_date else range(first, first + num_steps)
        tables = [
            pd.DataFrame(
                {
                    "unique_id": f"series {number:04}",
                    "cutoff": pd.Timestamp(first) - pd.Timedelta(days=1) if is_date else first - 1,
                    "ds": ds,
                    "horizon_step": range(1, num_steps + 1),
                    "y_hat": [number + step / 3 for step in range(num_steps)],
                    "model_version": "v1",
                    "recorded_at": pd.Timestamp("2024-02-01", tz="UTC"),
                }
            )
            for number in range(num_series)
        ]
        return pd.concat(tables, ignore_index=True)

    return make
