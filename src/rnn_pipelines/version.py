"""The project's version, said once. A module of its own, because the package itself leads to what stands on top."""

__version__ = "0.1.0"
