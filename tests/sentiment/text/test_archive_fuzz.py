"""Archives that are wrong in many ways are read as GNU tar reads them, or refused in words; nothing is unpacked.

`RNN_FUZZ_ARCHIVES` says how many; a failure names its seed.
"""

import bz2
import gzip
import io
import lzma
import random
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fuzzing import list_seeds
from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text import archive
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews

pytestmark = pytest.mark.slow

SEEDS = list_seeds("RNN_FUZZ_ARCHIVES", 1000)
# In the place of 600 million: a bomb of ten million bytes stands for one of thousands of millions.
MAX_BYTES = 3_000_000

ADDRESSES = "".join(
    f"http://www.imdb.com/title/tt000000{number}/usercomments\n" for number in range(3)
)
WHOLE = {
    **{
        f"aclImdb/{part}/urls_{kind}.txt": ADDRESSES
        for part in ("train", "test")
        for kind in ("neg", "pos")
    },
    "aclImdb/train/pos/0_9.txt": "Fine.",
    "aclImdb/train/neg/2_1.txt": "Awful.",
    "aclImdb/test/pos/1_10.txt": "Great.",
    "aclImdb/test/neg/0_4.txt": "Dull.",
}
REVIEW = "aclImdb/train/pos/1_8.txt"
NAMES = [
    "../../planted_9.txt",
    "/tmp/planted_9.txt",
    "aclImdb/../../planted.txt",
    "aclImdb/train/pos/../../../x_9.txt",
    "aclImdb\\..\\planted.txt",
    "./aclImdb/train/pos/1_8.txt",
    "aclImdb/train/pos/01_8.txt",
    "aclImdb//train/pos/1_8.txt",
    "aclImdb/train/pos/1_8.txt\n",
    "aclImdb/train/pos/1_2.txt",
    "aclImdb/train/pos/0_8.txt",
    "aclImdb/train/pos/1_8.TXT",
    "",
    ".",
    "aclImdb",
    "con",
    "é" * 90,
    "a" * 300,
    "aclImdb/" + "b/" * 200,
    "\x1b[2J",
    "\udcff",
    REVIEW,
]
TYPES = [
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
    tarfile.DIRTYPE,
]
TYPES += [tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, b"Z", b"\0"]
TARGETS = ["/etc/passwd", "../../../etc/passwd", "aclImdb/train/pos/0_9.txt", REVIEW, ""]
PAX = [
    *({"path": name} for name in ("../../planted", REVIEW, "/tmp/planted", "a" * 5000)),
    *({"size": size} for size in ("0", "7", "-1", "99999999999", "x")),
    {"linkpath": "/etc/passwd"},
    {"mtime": "nan"},
    {"mtime": "1e400"},
    {"hdrcharset": "BINARY"},
    {"comment": "c" * 9000},
    {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
    {"GNU.sparse.map": "0,5"},
    {"GNU.sparse.size": "99999999"},
]
Members = list[tuple[tarfile.TarInfo, bytes]]


def make_member(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def add_name(members: Members, source: random.Random) -> None:
    members.append(make_member(source.choice(NAMES), b"Planted."))


def add_special(members: Members, source: random.Random) -> None:
    member, _ = make_member(source.choice([REVIEW, "aclImdb/README", *NAMES]), b"")
    member.type, member.linkname = source.choice(TYPES), source.choice(TARGETS)
    members.append((member, b""))


def add_pax(members: Members, source: random.Random) -> None:
    member, _ = source.choice(members)
    member.pax_headers = dict(source.choice(PAX))


def add_bomb(members: Members, source: random.Random) -> None:
    name = source.choice(
        ["aclImdb/README", REVIEW, "aclImdb/train/urls_unsup.txt", "aclImdb/train/labeledBow.feat"]
    )
    members.append(make_member(name, bytes(10_000_000)))


def add_many(members: Members, source: random.Random) -> None:
    members += [
        make_member(f"aclImdb/train/unsup/{number}_0.txt", b"")
        for number in range(source.choice([3, 2000]))
    ]


def lie_about_size(members: Members, source: random.Random) -> None:
    source.choice(members)[0].size += source.choice([-3, -1, 1, 512, 10**7, 8**11])


def change_content(members: Members, source: random.Random) -> None:
    place = source.randrange(len(members))
    content = source.choice(
        [b"", b"\xff\xfe", b"\xed\xa0\x80", b"\0", "é\u0085\u2028".encode(), source.randbytes(2000)]
    )
    members[place] = make_member(members[place][0].name, content)


def leave_out(members: Members, source: random.Random) -> None:
    del members[source.randrange(len(members))]


def double(members: Members, source: random.Random) -> None:
    members.append(source.choice(members))


CHANGES: list[Callable[[Members, random.Random], None]] = [
    add_name,
    add_special,
    add_pax,
    add_bomb,
    add_many,
    lie_about_size,
    change_content,
    leave_out,
    double,
    lambda members, source: source.shuffle(members),
]


def pack_tar(members: Members, source: random.Random) -> bytes:
    file = io.BytesIO()
    form = source.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    for member, content in members:
        try:
            header = member.tobuf(form, "utf-8", "surrogateescape")
        except ValueError:
            # What this format can't say, another can.
            header = (
                member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
                if member.size >= 0
                else b""
            )
        file.write(header + content + bytes(-len(content) % 512))
    file.write(bytes(source.choice([1024, 1024, 10_240, 512, 0])))
    return file.getvalue()


def pack_zip(members: Members) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for member, content in {
            member.name: (member, content) for member, content in members
        }.values():
            packed.writestr(member.name.encode("utf-8", "replace").decode() or "x", content)
    return file.getvalue()


def compress(tar: bytes, source: random.Random) -> bytes:
    others = [
        lambda data: data,
        bz2.compress,
        lzma.compress,
        lambda data: gzip.compress(gzip.compress(data)),
    ]
    half = len(tar) // 2
    others.append(lambda data: gzip.compress(data[:half]) + gzip.compress(data[half:]))
    return source.choice(others)(tar) if source.random() < 0.2 else gzip.compress(tar, 1)


def damage(data: bytes, source: random.Random) -> bytes:
    place = source.randrange(len(data))
    end = source.randrange(len(data))
    damages = [
        data[:place],
        data[place:],
        data[:place] + bytes([data[place] ^ (1 << source.randrange(8))]) + data[place + 1 :],
        data[:place] + source.randbytes(5) + data[place:],
        data[:place] + data[place + 7 :],
        data + source.choice([bytes(700), b"garbage", data]),
        data[: min(place, end)] + bytes(abs(end - place)) + data[max(place, end) :],
        b"",
    ]
    return source.choice(damages)


def make_archive(source: random.Random) -> bytes:
    members = [make_member(name, content.encode()) for name, content in WHOLE.items()]
    for _ in range(source.choice([0, 0, 1, 1, 1, 2])):
        if members:
            source.choice(CHANGES)(members, source)
    tar = pack_tar(members, source)
    if source.random() < 0.2:
        tar = damage(tar, source)
    packed = pack_zip(members) if source.random() < 0.05 else compress(tar, source)
    return damage(packed, source) if source.random() < 0.3 else packed


def read_independently(path: Path, folder: Path) -> set[tuple[str, str]]:
    """The reviews with a label as GNU tar finds them, by the names that ours have."""
    folder.mkdir()
    subprocess.run(["tar", "-xzf", path, "-C", folder], check=True, capture_output=True)
    found = {
        (
            file.relative_to(folder / "aclImdb").with_suffix("").as_posix(),
            file.read_bytes().decode(),
        )
        for file in folder.glob("aclImdb/t*/[np]*/*.txt")
    }
    shutil.rmtree(folder)
    return found


@pytest.mark.skipif(shutil.which("tar") is None, reason="tar is the judge")
@pytest.mark.parametrize("part", range(2))
def test_archive_is_read_as_tar_reads_it_or_refused_in_words(
    part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", MAX_BYTES)
    outside = tmp_path / "given"
    outside.mkdir()
    monkeypatch.chdir(outside)
    num_read = 0
    for seed in SEEDS[part::2]:
        source = random.Random(seed)
        path = outside / f"reviews{source.choice(['.tar.gz', '.tgz', '.zip', '.csv', ''])}"
        path.write_bytes(make_archive(source))
        content = path.read_bytes()
        try:
            try:
                table = read_reviews(ReviewSourceSpec(archive=str(path)))
            except ReviewError as error:
                is_plain = str(error).isprintable() and len(str(error)) < 1000
                assert str(error).startswith(f"{path}: ") and is_plain  # noqa: PT017, PT018 - either outcome is right
            else:
                num_read += 1
                assert set(
                    zip(table["review_id"], table["text"], strict=True)
                ) == read_independently(path, tmp_path / "judged")
            assert [file.name for file in outside.iterdir()] == [path.name]
            assert path.read_bytes() == content
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        path.unlink()
    # So that it doesn't pass because nothing is read at all, or everything.
    assert 0.1 < num_read / len(SEEDS[part::2]) < 0.6


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".zip", ".txt", ""])
def test_archive_under_the_name_of_a_table_is_refused_in_words(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"reviews{suffix}"
    for seed in SEEDS[::20]:
        path.write_bytes(make_archive(random.Random(seed)))
        with pytest.raises(ReviewError):
            read_reviews(ReviewSourceSpec(path=str(path)))


def test_whole_archive_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reviews.tar.gz"
    members = [make_member(name, content.encode()) for name, content in WHOLE.items()]
    path.write_bytes(gzip.compress(pack_tar(members, random.Random(0))))
    table = read_reviews(ReviewSourceSpec(archive=str(path)))
    assert isinstance(table, pd.DataFrame)
    assert set(zip(table["review_id"], table["text"], strict=True)) == read_independently(
        path, tmp_path / "judged"
    )
