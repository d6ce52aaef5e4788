"""An archive gives one typed table, or an error that names the member; nothing in it is trusted."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.text import archive
from rnn_pipelines.sentiment.text.archive import read_archive
from rnn_pipelines.sentiment.text.schema import ReviewsTable

# A member as it is put in: its name, and its content or its whole header.
Member = tuple[str, str | bytes | tarfile.TarInfo]
Pack = Callable[[Iterable[Member]], Path]


def address(film: str) -> str:
    return f"http://www.imdb.com/title/{film}/usercomments"


ADDRESSES = "\n".join(address(f"tt000000{number}") for number in range(3)) + "\n"
LISTS: dict[str, str | bytes] = {
    f"aclImdb/{folder}.txt": ADDRESSES
    for folder in (
        "train/urls_neg",
        "train/urls_pos",
        "train/urls_unsup",
        "test/urls_neg",
        "test/urls_pos",
    )
}
REVIEWS: dict[str, str | bytes] = {
    "aclImdb/train/pos/0_9.txt": "Fine.",
    "aclImdb/train/neg/2_1.txt": "Awful.",
    "aclImdb/test/pos/1_10.txt": "Great.",
    "aclImdb/test/neg/0_4.txt": "Dull.",
}
WHOLE = LISTS | REVIEWS
UNLABELLED: dict[str, str | bytes] = WHOLE | {"aclImdb/train/unsup/1_0.txt": "Seen."}


def make_tar(members: Iterable[Member], form: int = tarfile.GNU_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


def make_special(name: str, kind: bytes, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return name, member


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Writes an archive with these members."""

    def write(members: Iterable[Member]) -> Path:
        path = tmp_path / "reviews.tar.gz"
        path.write_bytes(gzip.compress(make_tar(members), compresslevel=1))
        return path

    return write


@pytest.fixture
def whole(pack: Pack) -> Path:
    """An archive without faults."""
    return pack(WHOLE.items())


def fail(path: Path, unlabelled: bool = False) -> str:
    """The message of the error that reading ends in."""
    with pytest.raises(ReviewError) as caught:
        read_archive(path, unlabelled)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message


def test_each_review_is_a_row_with_its_film(whole: Path) -> None:
    assert ReviewsTable.validate(read_archive(whole)).values.tolist() == [
        ["train/neg/2_1", "train", "tt0000002", 1, "negative", "Awful."],
        ["train/pos/0_9", "train", "tt0000000", 9, "positive", "Fine."],
        ["test/neg/0_4", "test", "tt0000000", 4, "negative", "Dull."],
        ["test/pos/1_10", "test", "tt0000001", 10, "positive", "Great."],
    ]


def test_reading_an_archive_writes_nothing(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(whole.parent)
    before = whole.read_bytes()
    read_archive(whole)
    assert (os.listdir(), whole.read_bytes()) == ([whole.name], before)


def test_rows_do_not_depend_on_the_order_of_the_archive(pack: Pack) -> None:
    members = WHOLE | {"aclImdb/train/neg/1_1.txt": "a"}
    members = {name.replace("neg/2_1", "neg/10_1"): content for name, content in members.items()}
    members["aclImdb/train/urls_neg.txt"] = "\n".join([address("tt1")] * 11)
    forwards = read_archive(pack(members.items()))
    pd.testing.assert_frame_equal(read_archive(pack(reversed(members.items()))), forwards)


def test_rows_are_in_the_order_of_their_ids(pack: Pack) -> None:
    members = WHOLE | {"aclImdb/train/neg/1_1.txt": "a"}
    members = {name.replace("neg/2_1", "neg/10_1"): content for name, content in members.items()}
    members["aclImdb/train/urls_neg.txt"] = "\n".join([address("tt1")] * 11)
    forwards = read_archive(pack(members.items()))
    assert forwards["review_id"].tolist()[:2] == ["train/neg/1_1", "train/neg/10_1"]


def test_unlabelled_reviews_are_read_on_request_alone(pack: Pack) -> None:
    row = read_archive(pack(UNLABELLED.items()), unlabelled=True).iloc[-1]
    assert row[["review_id", "split", "group", "text"]].tolist() == [
        "train/unsup/1_0",
        "unlabelled",
        "tt0000001",
        "Seen.",
    ]
    assert "unlabelled" not in read_archive(pack(UNLABELLED.items()))["split"].tolist()


@pytest.mark.parametrize(
    "text",
    [
        "a\u0085b",
        "<br /><br />Good",
        " \r\n spaced\t",
        "Ω 好 \U0001f600",
        "a\u2028b\x00c",
        "&amp; \ufeff",
        "",
    ],
    ids=["next line", "markup", "white space", "scripts", "separators", "entities", "empty"],
)
def test_text_stays_as_it_is(pack: Pack, text: str) -> None:
    table = read_archive(pack((WHOLE | {"aclImdb/train/pos/0_9.txt": text}).items()))
    assert table.set_index("review_id").at["train/pos/0_9", "text"] == text


def test_lines_of_addresses_end_at_line_feeds_only(pack: Pack) -> None:
    """`str.splitlines()` would break the first line in two, and shift every film behind it."""
    members = WHOLE | {"aclImdb/train/urls_neg.txt": "a\u0085b\n\n" + address("tt77")}
    assert read_archive(pack(members.items()))["group"].tolist()[0] == "tt77"


def test_known_extras_are_passed_over(pack: Pack) -> None:
    folders = [
        "aclImdb",
        "aclImdb/train",
        "aclImdb/test",
        "aclImdb/train/pos",
        "aclImdb/test/neg",
        "aclImdb/train/unsup",
    ]
    extras = [
        "README",
        "imdb.vocab",
        "imdbEr.txt",
        "train/labeledBow.feat",
        "train/unsupBow.feat",
        "test/labeledBow.feat",
    ]
    members = [make_special(name, tarfile.DIRTYPE) for name in folders]
    members += [(f"aclImdb/{name}", b"\xff\xfe not read") for name in extras]
    assert len(read_archive(pack([*members, *WHOLE.items()]))) == 4


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar_is_read(tmp_path: Path, form: int) -> None:
    path = tmp_path / "reviews.tar.gz"
    path.write_bytes(gzip.compress(make_tar(WHOLE.items(), form)))
    assert len(read_archive(path)) == 4


REFUSED: dict[str, tuple[Iterable[Member], list[str]]] = {
    **{
        f"kind {kind!r}": (
            [*WHOLE.items(), make_special("aclImdb/test/pos/2_9.txt", kind, target)],
            ["member 'aclImdb/test/pos/2_9.txt'"],
        )
        for kind, target in (
            (tarfile.SYMTYPE, "/etc/passwd"),
            (tarfile.LNKTYPE, "aclImdb/train/pos/0_9.txt"),
            (tarfile.CHRTYPE, ""),
            (tarfile.BLKTYPE, ""),
            (tarfile.FIFOTYPE, ""),
            (tarfile.CONTTYPE, ""),
            (tarfile.GNUTYPE_SPARSE, ""),
            (b"Z", ""),
        )
    },
    **{
        # Outside the layout, or a second time.
        name: ([*WHOLE.items(), (name, "x")], [f"member {name!r}"])
        for name in (
            "/aclImdb/train/pos/1_9.txt",
            "../aclImdb/train/pos/1_9.txt",
            "aclImdb/train/pos/../pos/1_9.txt",
            "./aclImdb/train/pos/1_9.txt",
            "aclImdb//train/pos/1_9.txt",
            "other/train/pos/1_9.txt",
            "aclImdb/valid/pos/1_9.txt",
            "aclImdb/test/unsup/1_0.txt",
            "aclImdb/train/pos/1_9.html",
            "aclImdb/train/pos/00_9.txt",
            "aclImdb/train/pos/1_09.txt",
            "aclImdb/train/pos/\u0661_9.txt",
            "aclImdb/train/pos/1_9.txt\n",
            "aclImdb/train/pos/1_100.txt",
            "aclImdb/train/pos/12345678_9.txt",
            "aclImdb/train/urls_all.txt",
            "aclImdb/setup.py",
            "aclImdb/train/pos/0_9.txt",
            "aclImdb/train/pos/0_10.txt",
            "aclImdb/test/urls_pos.txt",
        )
    },
    **{
        f"folder {name}": ([make_special(name, tarfile.DIRTYPE), *WHOLE.items()], ["member "])
        for name in ("aclImdb/valid", "aclImdb/test/unsup", "/", "..", "aclImdb/train/pos/1_9.txt")
    },
    **{
        f"no UTF-8 in {name}": (
            (WHOLE | {name: b"caf\xe9"}).items(),
            [name, "byte 0xe9 at position 3"],
        )
        for name in ("aclImdb/train/pos/0_9.txt", "aclImdb/train/urls_pos.txt")
    },
    **{
        f"rating {name}": (
            [*WHOLE.items(), (f"aclImdb/{name}.txt", "x")],
            [f"{name}.txt'", ratings],
        )
        for name, ratings in (
            ("train/pos/1_6", "7 to 10 in train/pos, received 6"),
            ("train/pos/1_11", "received 11"),
            ("test/neg/1_5", "1 to 4 in test/neg, received 5"),
            ("test/neg/1_0", "received 0"),
            ("train/unsup/2_7", "0 to 0 in train/unsup, received 7"),
        )
    },
    "no line of a film": (
        (UNLABELLED | {"aclImdb/train/pos/7_9.txt": "x"}).items(),
        ["review 7 of aclImdb/train/pos", "line 8 of aclImdb/train/urls_pos.txt"],
    ),
    "no film": (
        (UNLABELLED | {"aclImdb/test/urls_pos.txt": "\nhttp://example.org\n"}).items(),
        [
            "review 1 of aclImdb/test/pos",
            "line 2 of aclImdb/test/urls_pos.txt, received 'http://example.org'",
        ],
    ),
    "no list of films": (
        [item for item in UNLABELLED.items() if item[0] != "aclImdb/test/urls_neg.txt"],
        ["review 0 of aclImdb/test/neg", "line 1 of aclImdb/test/urls_neg.txt, received ''"],
    ),
    **{
        f"no labelled {part}": (
            [
                item
                for item in UNLABELLED.items()
                if f"{part}/pos" not in item[0] and f"{part}/neg" not in item[0]
            ],
            [f"aclImdb/{part}/{{pos,neg}}"],
        )
        for part in ("train", "test")
    },
    "no unlabelled": (WHOLE.items(), ["sentiment.source.unlabelled"]),
}


@pytest.mark.parametrize(("members", "parts"), REFUSED.values(), ids=REFUSED)
def test_archive_is_refused_by_its_member(
    pack: Pack, members: Iterable[Member], parts: list[str]
) -> None:
    message = fail(pack(members), unlabelled=True)
    assert [part for part in parts if part not in message] == []


def test_name_with_control_characters_is_shown_harmless(pack: Pack) -> None:
    assert "\x1b" not in fail(pack([("aclImdb/\x1b[2J", "x")]))


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("aclImdb/train/pos/0_9.txt", "MAX_REVIEW_BYTES"),
        ("aclImdb/train/urls_pos.txt", "MAX_ADDRESSES_BYTES"),
        ("aclImdb/train/labeledBow.feat", "MAX_EXTRA_BYTES"),
        ("aclImdb/imdb.vocab", "MAX_EXTRA_BYTES"),
    ],
)
def test_oversized_member_is_refused(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, name: str, limit: str
) -> None:
    monkeypatch.setattr(archive, limit, 300)
    path = pack((WHOLE | {name: "x" * 301}).items())
    message = fail(path)
    assert (name in message, "300" in message, "301" in message) == (True, True, True)


def test_a_negative_size_is_refused(tmp_path: Path) -> None:
    """tarfile believes it, and another program doesn't read the archive at all."""
    member = tarfile.TarInfo("aclImdb/train/pos/1_9.txt")
    member.pax_headers = {"size": "-1"}
    path = tmp_path / "reviews.tar.gz"
    path.write_bytes(
        gzip.compress(make_tar([*WHOLE.items(), (member.name, member)], tarfile.PAX_FORMAT))
    )
    assert "-1" in fail(path)


def test_an_archive_beyond_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 1_000_000)
    path = tmp_path / "reviews.tar.gz"
    path.write_bytes(gzip.compress(make_tar(WHOLE.items()) + bytes(1_000_000)))
    assert "1,000,000" in fail(path)


def test_an_archive_that_ends_between_members_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reviews.tar.gz"
    # Between two members, where `tarfile` takes it for the end.
    path.write_bytes(gzip.compress(make_tar(WHOLE.items())[: 2 * 512 * len(WHOLE)]))
    assert "damaged header" in fail(path)


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    data = bytearray(make_tar([*WHOLE.items(), ("aclImdb/train/pos/1_9.txt", "x")]))
    data[data.rindex(b"aclImdb/train/pos/1_9") + 150] ^= 1
    path = tmp_path / "reviews.tar.gz"
    path.write_bytes(gzip.compress(bytes(data)))
    assert "damaged header (bad checksum)" in fail(path)


def test_member_of_the_largest_size_is_read(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_REVIEW_BYTES", 300)
    table = read_archive(pack((WHOLE | {"aclImdb/train/pos/0_9.txt": "x" * 300}).items()))
    assert table["text"].str.len().max() == 300


def test_too_many_members_or_bytes_are_refused(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", len(WHOLE) - 1)
    assert "8 members" in fail(whole)
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 5_000)
    assert "5,000" in fail(whole)


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]
)
def test_oversized_description_of_a_member_is_refused_unread(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("x")
    header.type = kind
    header.size = 2**33
    path = tmp_path / "reviews.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + make_tar(WHOLE.items())))
    assert "8,589,934,592" in fail(path)


@pytest.mark.parametrize("kept", [0, 9, 0.3, 0.9, -9, -1])
def test_archive_that_is_cut_off_is_refused(whole: Path, kept: float) -> None:
    data = whole.read_bytes()
    whole.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    assert ".tar.gz" in fail(whole)


@pytest.mark.parametrize("position", [0.2, 0.8])
def test_archive_with_damaged_bytes_is_refused(whole: Path, position: float) -> None:
    data = bytearray(whole.read_bytes())
    data[int(position * len(data))] ^= 0xFF
    whole.write_bytes(data)
    assert fail(whole)


def test_damage_that_only_the_checksum_shows_is_refused(whole: Path) -> None:
    data = bytearray(whole.read_bytes())
    data[-8] ^= 1
    whole.write_bytes(data)
    assert "CRC check failed" in fail(whole)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        b"PK\x03\x04" + bytes(100),
        make_tar(WHOLE.items()),
        gzip.compress(b"text"),
        gzip.compress(b""),
    ],
    ids=["empty", "text", "zip", "not packed", "no tar", "packed nothing"],
)
def test_other_kinds_of_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reviews.tar.gz"
    path.write_bytes(content)
    assert ".tar.gz" in fail(path)


def test_a_missing_archive_is_refused(tmp_path: Path) -> None:
    assert "No such file" in fail(tmp_path / "none.tar.gz")


def test_a_folder_in_place_of_the_archive_is_refused(tmp_path: Path) -> None:
    assert "Is a directory" in fail(tmp_path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 2 * 512 * len(WHOLE) + 1024), st.integers(0, 255)), max_size=4
    ),
    packed=st.booleans(),
)
def test_damage_is_read_or_refused_in_words(
    tmp_path: Path, changes: list[tuple[int, int]], packed: bool
) -> None:
    tar = make_tar(WHOLE.items())
    data = bytearray(gzip.compress(tar, mtime=0) if packed else tar)
    for position, value in changes:
        data[position % len(data)] = value
    path = tmp_path / "reviews.tar.gz"
    path.write_bytes(bytes(data) if packed else gzip.compress(bytes(data)))
    try:
        table = read_archive(path)
    except ReviewError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017 - either outcome is right
    else:
        assert table["review_id"].is_unique


@pytest.fixture(scope="module")
def imdb(real_data: Path) -> pd.DataFrame:
    return read_archive(real_data / "imdb/aclImdb_v1.tar.gz")


@pytest.mark.real_data
@pytest.mark.slow
def test_imdb_has_its_reviews(imdb: pd.DataFrame) -> None:
    assert imdb.groupby(["split", "label"]).size().tolist() == [12_500] * 4


@pytest.mark.real_data
@pytest.mark.slow
def test_imdb_has_its_signs(imdb: pd.DataFrame) -> None:
    assert imdb["text"].str.contains("\u0085", regex=False).sum() == 681


@pytest.mark.real_data
@pytest.mark.slow
def test_imdb_has_its_longest_review(imdb: pd.DataFrame) -> None:
    assert imdb["text"].str.split().str.len().max() == 2_470


@pytest.mark.real_data
@pytest.mark.slow
def test_imdb_shares_one_film(imdb: pd.DataFrame) -> None:
    # The dataset's README says none.
    train, test = (set(imdb.loc[imdb["split"] == split, "group"]) for split in ("train", "test"))
    assert len(train & test) == 1


@pytest.mark.real_data
def test_small_archive_has_2000_reviews(real_data: Path) -> None:
    assert len(read_archive(real_data / "imdb/aclImdb_small.tar.gz")) == 2_000
