"""Threads of NumPy's matrix products."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def use_one_thread() -> Iterator[None]:
    """Limit matrix products to one thread: on small matrices, several threads spend most of their time waiting."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
