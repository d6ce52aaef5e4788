"""How long a run waits for another one of the same pipeline to end; a command's option, which no parameter carries."""

from contextvars import ContextVar

WAIT_SECONDS: ContextVar[float] = ContextVar("wait_seconds", default=60.0)
