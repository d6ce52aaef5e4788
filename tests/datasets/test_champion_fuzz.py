"""Models that are damaged in many ways, under right checksums: the champion before is in use, or they are read.

`RNN_FUZZ_MODELS` says how many; a failure names its seed.
"""

import io
import json
import os
import random
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kedro.io import DatasetError

from fuzzing import list_seeds
from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.forecast.model import packing as forecast_packing
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.sentiment.datasets import TextClassifierDataset
from rnn_pipelines.sentiment.model import packing as sentiment_packing
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact
from sealing import reseal

pytestmark = pytest.mark.slow

SEEDS = list_seeds("RNN_FUZZ_MODELS", 200)
ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    10**9,
    2**70,
    1e308,
    float("nan"),
    "",
    "../x",
    "os.system",
    [],
    {},
    [[]],
    {"a": 1},
]
Files = Mapping[str, bytes]


def read_zip(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(members: Files) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def damage_bytes(content: bytes, source: random.Random) -> bytes:
    place, end = sorted(source.randrange(len(content) + 1) for _ in range(2))
    flipped = bytearray(content)
    for _ in range(source.choice([1, 1, 20])):
        flipped[source.randrange(len(content))] ^= 1 << source.randrange(8)
    damaged = [
        content[:place],
        content[place:],
        content[:place] + content[end:],
        b"",
        bytes(flipped),
        bytes(flipped),
        content[:place] + bytes(end - place) + content[end:],
        content[:place] + source.randbytes(9) + content[place:],
    ]
    return source.choice(damaged)


def damage_json(content: bytes, source: random.Random) -> bytes:
    """One value anywhere is another one; or it is nested too deeply."""
    found = json.loads(content)
    if source.random() < 0.1:
        depth = source.choice([900, 5000, 200_000])
        return b"[" * depth + b"]" * depth
    while found:
        parts = [found] if source.random() < 0.2 else []
        at: Any = found
        while isinstance(at, dict | list) and at:
            parts.append(at)
            at = at[source.choice(list(at))] if isinstance(at, dict) else source.choice(at)
        place = source.choice(parts)
        key = source.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if source.random() < 0.2:
            del place[key]
        else:
            place[key] = source.choice(ODD)
        break
    return json.dumps(found).encode()


def make_npy(source: random.Random) -> bytes:
    """An array whose header says something else than follows."""
    header = {
        "descr": source.choice(["<f8", "|O", "<U9", "<M8[s]", ">i2", "nix", [("a", "<f4")]]),
        "fortran_order": False,
    }
    header["shape"] = source.choice(
        [(), (0,), (-1,), (3,), (10**15,), (2**31, 2**31), (10**7,), "x", (1,) * 70]
    )
    packed = io.BytesIO()
    np.lib.format.write_array_header_1_0(packed, header)
    return packed.getvalue() + source.randbytes(source.choice([0, 24, 1000]))


def damage_npz(content: bytes, source: random.Random) -> bytes:
    members = read_zip(content)
    name = source.choice(list(members))
    array = np.load(io.BytesIO(members[name]), allow_pickle=False)
    others = io.BytesIO()
    others_by = [
        array.astype("U9"),
        array.ravel(),
        np.array([array]),
        np.full_like(array, 0),
        np.zeros(3),
        np.array("a"),
    ]
    np.save(others, source.choice(others_by), allow_pickle=False)
    changes: list[Callable[[], Any]] = [
        lambda: members.pop(name),
        lambda: members.update({name: others.getvalue()}),
        lambda: members.update({name: make_npy(source)}),
        lambda: members.update({name: damage_bytes(members[name], source)}),
        lambda: members.update(
            {source.choice(["../planted.npy", "other.npy", "x.share.npy"]): members[name]}
        ),
        lambda: members.update({name: bytes(50_000_000)}),
    ]
    source.choice(changes)()
    return write_zip(members)


def damage_keras(content: bytes, source: random.Random) -> bytes:
    members = read_zip(content)
    name = source.choice(list(members))
    config = json.loads(members["config.json"])
    layers = config["config"]["layers"]
    layer = source.choice(layers)
    changes: list[Callable[[], Any]] = [
        lambda: layer.update(
            module=source.choice(["os", "nix.nix", "builtins", "keras.src.nix", "", None])
        ),
        lambda: layer.update(
            class_name=source.choice(["Lambda", "system", "eval", "Nix", "Functional", "", None])
        ),
        lambda: layer.update(registered_name=source.choice(["nix>Nix", "Lambda", None])),
        lambda: layer["config"].update(units=source.choice([10**6, 10**12, -1, 0, "x", None])),
        lambda: layer["config"].update({source.choice(list(layer["config"])): source.choice(ODD)}),
        lambda: layer.update(
            inbound_nodes=source.choice([[], None, [{}], layers[0].get("inbound_nodes")])
        ),
        lambda: layers.append(config),
        lambda: config["config"].update(output_layers=source.choice([[], None, [["nix", 0, 0]]])),
    ]
    if source.random() < 0.5:
        source.choice(changes)()
        # A list in itself can't be written; it stands in the place of one that is nested too deeply.
        members["config.json"] = nest(config, layers, source)
    elif source.random() < 0.2:
        del members[name]
    else:
        others = [
            damage_bytes(members[name], source),
            b"",
            bytes(50_000_000),
            b"{}",
            b"[" * 100_000,
        ]
        members[source.choice([name, name, "../planted.h5"])] = source.choice(others)
    return write_zip(members)


def nest(config: Any, layers: list[Any], source: random.Random) -> bytes:
    if layers and layers[-1] is config:
        layers.pop()
        inner = json.dumps(config)
        depth = source.choice([3, 200])
        return (
            '{"module": "keras", "class_name": "Sequential", "config": {"layers": [' * depth
            + inner
            + "]}}" * depth
        ).encode()
    return json.dumps(config).encode()


def damage(files: Files, source: random.Random) -> dict[str, bytes]:
    name = source.choice(list(files))
    damages = {".json": damage_json, ".npz": damage_npz, ".keras": damage_keras}
    own = damages.get(Path(name).suffix, damage_bytes)
    change = source.choice([own, own, own, damage_bytes])
    if source.random() < 0.05:
        return {other: content for other, content in files.items() if other != name} or {
            "other": b""
        }
    damaged = {**files, name: change(files[name], source)}
    # Most damages have right checksums: those that have not are found at once.
    return damaged if source.random() < 0.1 else reseal_if_readable(damaged)


def reseal_if_readable(files: Files) -> dict[str, bytes]:
    try:
        return reseal(files)
    except (ValueError, RecursionError, AttributeError):
        return dict(files)


@pytest.fixture(scope="module")
def bases(
    prepare: Callable[..., SimpleNamespace],
    make_values: Callable[..., list[float | None]],
    make_forecaster: Callable[..., Forecaster],
    text_classifier: ClassifierArtefact,
) -> dict[str, tuple[str, dict[str, bytes]]]:
    """The tasks and files of a forecaster and of a text classifier."""
    forecaster = make_forecaster(
        prepare({"a": make_values(50), "b": make_values(50, seed=1)}), "lstm", "gru"
    )
    return {
        "forecast": ("forecast", forecast_packing.pack(forecaster)),
        "sentiment": ("sentiment", sentiment_packing.pack(text_classifier)),
    }


def put_in_use(folder: Path, files: Files) -> str:
    store = ChampionStore(folder)
    version = store.add_version(files)
    store.promote(version, ["why"], "2026-01-31T02:00:00+00:00")
    add_record(
        folder,
        {"kind": "retrain", "outcome": "promoted", "is_promoted": True, "version": version},
        version,
    )
    return version


@pytest.mark.parametrize("name", ["forecast", "sentiment"])
def test_damaged_model_is_read_or_the_one_before_it_is_in_use(
    name: str,
    bases: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("CRITICAL")
    monkeypatch.setattr(os, "fsync", lambda _: None)
    outside = tmp_path / "here"
    outside.mkdir()
    monkeypatch.chdir(outside)
    task, files = bases[name]
    num_read = 0
    seeds = SEEDS if name == "forecast" else SEEDS[::4]
    for seed in seeds:
        folder = tmp_path / "champion"
        first = put_in_use(folder, files)
        second = put_in_use(folder, damage(files, random.Random(seed)))
        try:
            champion = ChampionDataset(path=str(folder), task=task).load()
            assert champion is not None
            assert champion.version in (first, second)
            assert bool(champion.alarms) == (champion.version == first)
            assert list(outside.iterdir()) == []
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        num_read += champion.version == second
        shutil.rmtree(folder)
    print(f"{name}: {len(seeds)} models, {num_read} of them could be read")
    assert 0 < num_read < 0.8 * len(seeds)


def test_damaged_zip_of_a_classifier_is_read_or_refused(
    bases: Any, text_classifier: ClassifierArtefact, tmp_path: Path
) -> None:
    path = tmp_path / "classifier.zip"
    dataset = TextClassifierDataset(filepath=str(path))
    dataset.save(text_classifier)
    content = path.read_bytes()
    for seed in SEEDS[::4]:
        source = random.Random(seed)
        members = read_zip(content)
        damaged = (
            write_zip(damage(members, source))
            if source.random() < 0.5
            else damage_bytes(content, source)
        )
        path.write_bytes(damaged)
        try:
            found = TextClassifierDataset(filepath=str(path)).load()
        except DatasetError:
            continue
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        assert isinstance(found, ClassifierArtefact)
