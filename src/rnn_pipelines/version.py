"""The project's version, in a module of its own, because the package itself imports higher layers."""

__version__ = "0.8.0"
