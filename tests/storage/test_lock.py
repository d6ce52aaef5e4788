"""One process and thread at a time, and no lock that outlives its process."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rnn_pipelines.errors import LockedError, LockError
from rnn_pipelines.storage.lock import hold_lock

HOLD = """
import sys, time
from pathlib import Path
from rnn_pipelines.storage.lock import hold_lock
with hold_lock(Path(sys.argv[1]), 0):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""
# The parent tells the number of its child and waits to be killed; the child lives on.
FORK = """
import os, sys, time
from pathlib import Path
from rnn_pipelines.storage.lock import hold_lock
with hold_lock(Path(sys.argv[1]), 0):
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(60)
"""
SPAWN = """
import subprocess, sys, time
from pathlib import Path
from rnn_pipelines.storage.lock import hold_lock
with hold_lock(Path(sys.argv[1]), 0):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
    print(child.pid, flush=True)
    time.sleep(60)
"""
# The child tries the lock and leaves its parent's block; then the parent tells how, with the lock still held.
FORK_AND_TRY = """
import os, sys, time
from pathlib import Path
from rnn_pipelines.errors import LockedError
from rnn_pipelines.storage.lock import hold_lock
path = Path(sys.argv[1])
is_refused = False
with hold_lock(path, 0):
    child = os.fork()
    if child == 0:
        try:
            with hold_lock(path, 0):
                pass
        except LockedError:
            is_refused = True
    else:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        time.sleep(60)
os._exit(40 + is_refused)
"""


Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "task.lock"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    """Starts a process with the lock; returns it with the first line that it says."""
    started = []

    def start_process(code: str, *arguments: object) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-c", code, str(path), *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start_process
    for process in started:
        process.kill()
        process.communicate()


def test_lock_of_another_process_is_refused_after_the_wait(path: Path, start: Start) -> None:
    start(HOLD, 60)
    with pytest.raises(LockedError), hold_lock(path, 0):
        pass
    with pytest.raises(LockedError) as caught, hold_lock(path, 0.2):
        pass
    assert str(caught.value) == (
        f"{path}: another process or thread still holds this lock after 0.2 s. Let it finish, or wait longer."
    )
    since = time.monotonic()
    with pytest.raises(LockedError), hold_lock(path, 0.3):
        pass
    assert 0.3 <= time.monotonic() - since < 5
    ran = []
    with pytest.raises(LockedError), hold_lock(path, 0):
        ran.append(True)
    assert ran == []


def test_lock_is_waited_for(path: Path, start: Start) -> None:
    process, _ = start(HOLD, 0.3)
    with hold_lock(path, 20):
        assert process.wait(5) == 0


def can_hold(path: Path, wait_seconds: float = 0) -> bool:
    try:
        with hold_lock(path, wait_seconds):
            return True
    except LockedError:
        return False


def test_killed_process_leaves_no_lock(path: Path, start: Start) -> None:
    process, _ = start(HOLD, 60)
    process.kill()
    process.wait()
    assert can_hold(path)


@pytest.mark.parametrize("code", [FORK, SPAWN], ids=["forked", "spawned"])
def test_child_that_outlives_a_killed_process_does_not_keep_its_lock(
    path: Path, start: Start, code: str
) -> None:
    process, child = start(code)
    time.sleep(0.05)
    process.kill()
    process.wait()
    try:
        assert can_hold(path, 5)
        os.kill(int(child), 0)  # it is still there
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_forked_child_does_not_take_its_parents_lock_for_its_own(start: Start, path: Path) -> None:
    """It is refused, and leaves the block that it was forked in without an error."""
    assert start(FORK_AND_TRY)[1] == "41"
    start(FORK_AND_TRY)
    with pytest.raises(LockedError), hold_lock(path, 0):
        pass


def test_the_holder_can_take_the_lock_again(path: Path) -> None:
    with hold_lock(path, 0):
        assert can_hold(path)


def test_another_thread_cannot_take_the_lock(path: Path) -> None:
    with hold_lock(path, 0), ThreadPoolExecutor() as threads:
        assert not threads.submit(can_hold, path).result()


def test_the_lock_of_a_path_is_that_of_its_file(path: Path) -> None:
    with hold_lock(path, 0):
        assert can_hold(path.parent / ".." / "deep" / "task.lock")


def test_the_inner_lock_does_not_release_the_outer_one(path: Path, start: Start) -> None:
    with hold_lock(path, 0):
        with hold_lock(path, 0):
            pass
        _, said = start(HOLD, 0)
    assert said == ""


def test_the_file_of_a_lock_stays(path: Path) -> None:
    with hold_lock(path, 0):
        pass
    assert path.exists()


def test_a_released_lock_can_be_taken(path: Path, start: Start) -> None:
    with hold_lock(path, 0):
        pass
    assert start(HOLD, 0)[1] == "held"


def test_another_lock_can_be_taken(start: Start, tmp_path: Path) -> None:
    start(HOLD, 60)
    assert can_hold(tmp_path / "deep" / "other.lock")


def test_lock_of_another_thread_is_waited_for(path: Path) -> None:
    """Each adds to a number that it has read before: none is lost only if they never overlap."""
    numbers = [0]

    def add(_: int) -> None:
        with hold_lock(path, 30), hold_lock(path, 0):
            read = numbers[0]
            time.sleep(0.002)
            numbers[0] = read + 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(24)))
    assert numbers == [24]


def test_a_link_to_nothing_is_refused(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "planted")
    with pytest.raises(LockError) as caught, hold_lock(path, 0):
        pass
    assert caught.value.errno == errno.ELOOP
    assert str(path) in str(caught.value)


def test_a_link_to_nothing_creates_no_file(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "planted")
    with pytest.raises(LockError), hold_lock(path, 0):
        pass
    assert [found.name for found in tmp_path.iterdir()] == ["deep"]
    assert path.is_symlink()


def test_a_link_to_a_file_leaves_it_as_it_is(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    (tmp_path / "mine").write_text("mine")
    path.symlink_to(tmp_path / "mine")
    with pytest.raises(LockError), hold_lock(path, 0):
        pass
    assert (tmp_path / "mine").read_text() == "mine"


def test_linked_folder_has_one_lock_under_both_names(
    path: Path, tmp_path: Path, start: Start
) -> None:
    path.parent.mkdir()
    (tmp_path / "link").symlink_to(path.parent)
    linked = tmp_path / "link" / path.name
    with hold_lock(linked, 0):
        assert can_hold(path)
        assert start(HOLD, 0)[1] == ""
    start(HOLD, 60)
    assert not can_hold(linked)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_lock_is_free_after_an_error(path: Path, start: Start, error: type[BaseException]) -> None:
    with pytest.raises(error), hold_lock(path, 0):
        raise error
    assert start(HOLD, 0)[1] == "held"
