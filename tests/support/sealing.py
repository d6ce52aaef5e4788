"""Models with damages that their checksums do not show."""

import json
from collections.abc import Mapping

from rnn_pipelines.storage.formats import FILES, KEY, seal_files


def reseal(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a model, with settings that have the checksums of the others."""
    settings = json.loads(files["settings.json"])
    own = {name: value for name, value in settings.items() if name not in (FILES, KEY)}
    others = {name: content for name, content in files.items() if name != "settings.json"}
    return {"settings.json": seal_files(own, others), **others}
