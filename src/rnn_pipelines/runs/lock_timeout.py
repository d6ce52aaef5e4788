"""The longest wait for another run of the same pipeline, set by an option of the command."""

from contextvars import ContextVar

WAIT_SECONDS: ContextVar[float] = ContextVar("wait_seconds", default=60.0)
