"""Folders of versions: each appears complete, and only files of the project are removed."""
