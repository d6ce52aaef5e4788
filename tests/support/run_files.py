"""The content of the files of a run, without its name, its times and its measured seconds."""

import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

# What differs between two runs of the same command.
RUN = re.compile(rb"\d{4}-\d\d-\d\d[T @]\d\d[.:]\d\d[.:]\d\d[.\d]*(Z|\+00:00)?(-[0-9a-f]{6})?")
REPEAT = re.compile(rb"(?<=repeat )\w+ [0-9a-f]{6}|(?<=commit )\w+")
SECONDS = re.compile(
    r"seconds|sha256|checksum|shared_object_id|idle_days|check$|^(run|began|ended|at|version|commit)$"
)
# The numbers of a page are those of the other files, and measured seconds.
NUMBERS = re.compile(rb"(&lt; )?[\d.]+")
# The layers of Keras, which numbers the models of a process.
LAYERS = re.compile(rb'(?<=\w)_\d+(?=")')
# Checksums of files with times.
SKIPPED = {"checksums.json", "log.json"}


def read_files(root: Path) -> dict[str, Any]:
    """Return the comparable content of each file that is shown below a data root, by its path."""
    contents = {}
    for parent, folders, names in os.walk(root, followlinks=True):
        folders[:] = [
            name for name in folders if name[0] != "." and name not in ("runs", "checkpoints")
        ]
        for path in (
            Path(parent, name) for name in names if name[0] != "." and name not in SKIPPED
        ):
            content = read_content(path.name, path.read_bytes().replace(os.fsencode(root), b""))
            contents[drop_names(bytes(path.relative_to(root))).decode()] = content
    assert contents
    return contents


def read_content(name: str, content: bytes) -> Any:
    kind = Path(name).suffix
    if kind == ".json":
        return drop_seconds(json.loads(LAYERS.sub(b"", content)))
    if kind in (".csv", ".parquet"):
        read = pd.read_csv if kind == ".csv" else pd.read_parquet
        table = read(io.BytesIO(content))
        text = table.drop(columns=list(filter(SECONDS.search, table))).to_csv()
        return drop_names(text.encode())
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [member for member in archive.namelist() if not SECONDS.search(member)]
            return {member: read_content(member, archive.read(member)) for member in members}
    return NUMBERS.sub(b"", drop_names(content)) if kind == ".html" else drop_names(content)


def drop_names(content: bytes) -> bytes:
    return REPEAT.sub(b"", RUN.sub(b"", content))


def drop_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: drop_seconds(part) for key, part in value.items() if not SECONDS.search(key)}
    if isinstance(value, list):
        return [drop_seconds(part) for part in value]
    return drop_names(value.encode()) if isinstance(value, str) else value
