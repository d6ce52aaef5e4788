"""Reading of the Large Movie Review Dataset from its archive, in one pass and without unpacking it to disk.

An archive is untrusted input. A member that is not a review, a list of addresses or a known extra raises an error, and
each kind of member has a maximum size.

Source: Maas et al. (2011), Learning Word Vectors for Sentiment Analysis, ACL, https://aclanthology.org/P11-1015/.
"""

import gzip
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from rnn_pipelines.errors import ReviewError, show
from rnn_pipelines.sentiment.text.schema import Reviews, make_reviews_table

# Numbers have no leading zeros, so that each review has exactly one name.
REVIEW = re.compile(
    r"aclImdb/((?:train|test)/(?:pos|neg)|train/unsup)/(0|[1-9][0-9]{0,6})_(0|[1-9][0-9]?)\.txt"
)
ADDRESSES = re.compile(r"aclImdb/(train|test)/urls_(pos|neg|unsup)\.txt")
FOLDER = re.compile(r"aclImdb(?:/(?:train|test)(?:/(?:pos|neg))?|/train/unsup)?")
EXTRA = re.compile(r"aclImdb/(?:README|imdb\.vocab|imdbEr\.txt|(?:train|test)/[A-Za-z]+\.feat)")
FILM = re.compile(r"/(tt[0-9]+)/")

# The original has about 100,000 members. Its longest review has 14,282 bytes, and its longest list of addresses
# 2,450,000. A feature file counts the words of at most 50,000 reviews, whose texts have 67 million bytes. The whole
# archive, including the tar headers, has less than 350 million bytes.
MAX_MEMBERS = 200_000
MAX_REVIEW_BYTES = 1_000_000
MAX_ADDRESSES_BYTES = 10_000_000
MAX_EXTRA_BYTES = 100_000_000
MAX_DESCRIPTION_BYTES = 100_000
MAX_ARCHIVE_BYTES = 600_000_000

PLAIN_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
RATINGS = {"neg": range(1, 5), "pos": range(7, 11), "unsup": range(1)}
LABELS = {"neg": "negative", "pos": "positive", "unsup": None}

# Rating and text by folder and ID, and lists of addresses by folder.
_Reviews = dict[tuple[str, int], tuple[int, str]]
_Addresses = dict[str, list[str]]


class _BoundedGzip(gzip.GzipFile):
    """A gzip file with a maximum unpacked size, because gzip can expand a small file a thousand times."""

    num_bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.num_bytes += len(data)
        if self.num_bytes > MAX_ARCHIVE_BYTES:
            expected = f"expected at most {MAX_ARCHIVE_BYTES:,} unpacked bytes, received more"
            raise ReviewError(f"{expected}. Get the original archive.")
        return data


class _StrictMember(tarfile.TarInfo):
    """A tar member with strict headers.

    `tarfile` treats a damaged header as the end of the archive; here only the end marker ends it. `tarfile` also reads
    extended headers, such as a long name, into memory without a limit; here their size is limited.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_StrictMember":
        member = super().frombuf(buf, encoding, errors)
        if member.type not in PLAIN_FILES and member.size > MAX_DESCRIPTION_BYTES:
            raise tarfile.ReadError(f"a header describes its member in {member.size:,} bytes")
        return member

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "_StrictMember":
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined] # not in the stubs
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"damaged header ({error})") from error


def read_archive(path: Path | str, unlabelled: bool = False) -> Reviews:
    """Read the reviews of an archive in the layout of the Large Movie Review Dataset.

    Args:
        path: a `.tar.gz` with `aclImdb/{train,test}/{pos,neg}/ID_RATING.txt`, `aclImdb/train/unsup/ID_0.txt` and
            `aclImdb/{train,test}/urls_{pos,neg,unsup}.txt`.
        unlabelled: whether the reviews of `train/unsup` are read too.
    Returns:
        The reviews with IDs such as `train/pos/12_9` and films such as `tt0453418`, sorted by split, label and ID.
    Raises:
        ReviewError: the archive is damaged or has an unexpected member, which the message names.
    """
    reviews: _Reviews = {}
    addresses: _Addresses = {}
    try:
        with _BoundedGzip(path) as unpacked:
            with tarfile.open(
                fileobj=unpacked, mode="r|", bufsize=2**16, tarinfo=_StrictMember
            ) as archive:
                for member, kind in _check_members(archive):
                    if kind is REVIEW and (unlabelled or "/unsup/" not in member.name):
                        folder, review, rating = _parse_name(member.name)
                        reviews[folder, review] = rating, _read_text(archive, member)
                    elif kind is ADDRESSES:
                        folder = (
                            member.name.replace("aclImdb/", "")
                            .replace("urls_", "")
                            .removesuffix(".txt")
                        )
                        # Not splitlines(), which also splits at U+0085 and other characters.
                        addresses[folder] = _read_text(archive, member).split("\n")
            # Read to the end, where gzip checks the checksum.
            while unpacked.read(2**16):
                pass
        return _tabulate(reviews, addresses, unlabelled)
    except ReviewError as error:
        raise ReviewError(f"{path}: {error}") from None
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError) as error:
        reason = str(error).strip().rstrip(".")
        raise ReviewError(
            f"{path}: expected a complete .tar.gz archive, received one that can't be read: {reason}. Get it again."
        ) from error


def _check_members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, re.Pattern[str]]]:
    """Yield each member with the pattern of its kind, after checking it."""
    seen = set()
    for number, member in enumerate(iter(archive.next, None), start=1):
        archive.members.clear()  # type: ignore[attr-defined] # else it keeps all of them in memory
        kind = _classify(member)
        if number > MAX_MEMBERS:
            raise ReviewError(
                f"expected at most {MAX_MEMBERS:,} members, received more. Get the original archive."
            )
        # An ID has one review; the rating is not part of the ID.
        key = member.name.rsplit("_", 1)[0] if kind is REVIEW else member.name
        if key in seen:
            raise ReviewError(f"{_name(member)}: it is in the archive twice. Remove one of them.")
        if kind is not FOLDER:
            seen.add(key)
        yield member, kind


def _classify(member: tarfile.TarInfo) -> re.Pattern[str]:
    if member.type == tarfile.DIRTYPE and FOLDER.fullmatch(member.name):
        return FOLDER
    if member.type not in PLAIN_FILES or member.issparse():
        raise ReviewError(
            f"{_name(member)}: expected a plain file or a folder of the reviews' layout, received a link, a "
            "device, another folder or a special file. Get the original archive."
        )
    limits = {REVIEW: MAX_REVIEW_BYTES, ADDRESSES: MAX_ADDRESSES_BYTES, EXTRA: MAX_EXTRA_BYTES}
    for kind, limit in limits.items():
        if kind.fullmatch(member.name):
            # tarfile accepts any size from an extended header.
            if not 0 <= member.size <= limit:
                expected = f"expected at most {limit:,} bytes, received {member.size:,}"
                raise ReviewError(f"{_name(member)}: {expected}. Get the original archive.")
            return kind
    raise ReviewError(
        f"{_name(member)}: expected the layout aclImdb/{{train,test}}/{{pos,neg}}/ID_RATING.txt. "
        "Get the original archive, or give your own reviews as a table in sentiment.source.path."
    )


def _read_text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    data = file.read() if file else b""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReviewError(
            f"{_name(member)}: expected UTF-8, received byte 0x{data[error.start]:02x} at position "
            f"{error.start}. Get the original archive, or save the review again as UTF-8."
        ) from error


def _parse_name(name: str) -> tuple[str, int, int]:
    """Return folder, ID and rating of a review."""
    match = REVIEW.fullmatch(name)
    assert match is not None
    folder = match[1]
    review = int(match[2])
    rating = int(match[3])
    expected = RATINGS[folder.rsplit("/", 1)[1]]
    if rating not in expected:
        raise ReviewError(
            f"member '{name}': expected a rating of {expected[0]} to {expected[-1]} in {folder}, received "
            f"{rating}. Move the review to the other folder, or remove it."
        )
    return folder, review, rating


def _tabulate(reviews: _Reviews, addresses: _Addresses, unlabelled: bool) -> Reviews:
    folders = [f"{split}/{kind}" for split in ("train", "test") for kind in ("neg", "pos")] + [
        "train/unsup"
    ]
    rows: list[tuple[object, ...]] = []
    for folder, review in sorted(reviews, key=lambda key: (folders.index(key[0]), key[1])):
        rating, text = reviews[folder, review]
        split, kind = folder.split("/")
        film = _find_film(addresses.get(folder, []), folder, review)
        split = "unlabelled" if kind == "unsup" else split
        rows.append(
            (f"{folder}/{review}_{rating}", split, film, rating or None, LABELS[kind], text)
        )
    table = make_reviews_table(rows)
    for split in ("train", "test", "unlabelled")[: 3 if unlabelled else 2]:
        if not (table["split"] == split).any():
            what = (
                "set sentiment.source.unlabelled to false"
                if split == "unlabelled"
                else "get the original archive"
            )
            where = (
                "aclImdb/train/unsup" if split == "unlabelled" else f"aclImdb/{split}/{{pos,neg}}"
            )
            raise ReviewError(
                f"expected reviews in {where}, received none. Read another archive, or {what}."
            )
    return table


def _find_film(addresses: list[str], folder: str, review: int) -> str:
    """Return the film of a review, from the line of the list with its number, counted from 0."""
    line = addresses[review] if review < len(addresses) else ""
    film = FILM.search(line)
    if film is None:
        split, kind = folder.split("/")
        raise ReviewError(
            f"review {review} of aclImdb/{folder} has no film. Expected an address such as "
            f"http://www.imdb.com/title/tt0453418/usercomments in line {review + 1} of "
            f"aclImdb/{split}/urls_{kind}.txt, received {show(line)}. Get the original archive."
        )
    return film[1]


def _name(member: tarfile.TarInfo) -> str:
    # As repr, because a name may contain control characters for the terminal.
    return f"member {show(member.name)}"
