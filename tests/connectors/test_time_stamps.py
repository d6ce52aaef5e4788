"""Time stamps are those of the authority that the user trusts, for the stamp that is kept."""

import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from authority import Authority, serve
from rnn_pipelines.connectors.time_stamps import (
    TimeStamp,
    keep_reply,
    keep_stamp,
    keep_token,
    make_query,
    read_tokens,
    request_token,
    verify_token,
)
from rnn_pipelines.errors import ChampionError, ParameterError

STAMP = {"format": 1, "task": "forecast", "sha256": "5e" * 32}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authorities") / "right", "right")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authorities") / "stranger", "stranger")


@pytest.fixture
def token(tmp_path: Path, authority: Authority) -> TimeStamp:
    """A token that was kept."""
    query = make_query(keep_stamp(tmp_path / "kept", STAMP))
    keep_token(tmp_path / "kept", authority.reply(query), "reply.tsr")
    (token,) = read_tokens(tmp_path / "kept")
    return token


def test_token_is_of_the_stamp_at_this_time(token: TimeStamp) -> None:
    assert abs(datetime.now(UTC) - token.time) < timedelta(minutes=1)
    assert token.stamp["sha256"] == STAMP["sha256"]


def test_verified_token_names_the_authority(
    token: TimeStamp, authority: Authority, stranger: Authority
) -> None:
    """One of the certificates is enough, because an owner may change the authority."""
    certificates = [stranger.certificate, authority.certificate]
    assert verify_token(token, certificates) == "CN=right"


def test_token_is_not_verified_without_a_certificate(token: TimeStamp) -> None:
    assert verify_token(token, []) is None


def test_token_of_another_authority_is_refused(token: TimeStamp, stranger: Authority) -> None:
    with pytest.raises(ChampionError, match="unable to get local issuer certificate"):
        verify_token(token, [stranger.certificate])


def test_anyone_can_verify_it_by_openssl(token: TimeStamp, authority: Authority) -> None:
    """As the page of the audit says."""
    command = ["openssl", "ts", "-verify", "-data", str(token.path.with_suffix(".json"))]
    files = ["-in", str(token.path), "-CAfile", str(authority.certificate)]
    assert subprocess.run([*command, *files], check=False).returncode == 0


def test_changed_byte_of_the_signature_is_found(token: TimeStamp, authority: Authority) -> None:
    content = bytearray(token.path.read_bytes())
    content[-1] ^= 1
    token.path.write_bytes(content)
    with pytest.raises(ChampionError, match="no certificate verifies this token"):
        verify_token(token, [authority.certificate])


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": 1, "sha256": "00"}', b"\xff"])
def test_changed_stamp_is_not_what_the_token_covers(token: TimeStamp, content: bytes) -> None:
    token.path.with_suffix(".json").write_bytes(content)
    assert [kept.stamp for kept in read_tokens(token.path.parent)] == [{}]


def test_another_token_of_the_same_stamp_replaces_nothing(
    token: TimeStamp, authority: Authority
) -> None:
    before = token.path.read_bytes()
    with pytest.raises(ChampionError, match="nothing is overwritten"):
        keep_token(token.path.parent, authority.reply(make_query(token.path)), "second.tsr")
    assert token.path.read_bytes() == before


def test_token_of_another_content_is_not_kept(tmp_path: Path, token: TimeStamp) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(ChampionError, match=r"reply\.tsr: it is a token of another content"):
        keep_token(tmp_path / "other", token.path.read_bytes(), "reply.tsr")


def test_missing_reply_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"reply\.tsr: it can't be read \(No such file"):
        keep_reply(tmp_path, tmp_path / "reply.tsr")


def test_token_outlives_the_certificate_of_its_authority(tmp_path: Path) -> None:
    # OpenSSL 3.4 writes such certificates.
    end = datetime.now(UTC) + timedelta(seconds=2)
    authority = Authority(tmp_path / "short", "short", f"-not_after {end:%Y%m%d%H%M%SZ}")
    path = keep_stamp(tmp_path, STAMP)
    keep_token(tmp_path, authority.reply(make_query(path)), "reply.tsr")
    time.sleep(2.1)
    (token,) = read_tokens(tmp_path)
    assert verify_token(token, [authority.certificate]) == "CN=short"


@pytest.mark.parametrize("content", [b"", b"no certificate", None])
def test_certificate_is_one(tmp_path: Path, token: TimeStamp, content: bytes | None) -> None:
    path = tmp_path / "notes.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"notes\.pem: expected the certificate"):
        verify_token(token, [path])


def test_server_of_an_authority_gives_the_token(tmp_path: Path, authority: Authority) -> None:
    with serve(authority.reply) as url:
        request_token(keep_stamp(tmp_path, STAMP), url)
    (token,) = read_tokens(tmp_path)
    assert verify_token(token, [authority.certificate]) == "CN=right"


def refuse(authority: Authority, folder: Path) -> bytes:
    """The reply to a query of a sha512, which this authority does not sign."""
    (folder / "text").write_text("text")
    authority.run(f"ts -query -sha512 -data {folder / 'text'} -out {folder / 'query'}")
    return authority.reply((folder / "query").read_bytes())


def test_refusal_is_told_in_the_words_of_the_authority(
    tmp_path: Path, authority: Authority
) -> None:
    refusal = refuse(authority, tmp_path)
    path = keep_stamp(tmp_path / "kept", STAMP)
    with (
        serve(lambda query: refusal) as url,
        pytest.raises(ChampionError, match="Message digest algorithm is not supported"),
    ):
        request_token(path, url)
    assert not path.exists()


@pytest.mark.parametrize("answer", [b"", b"<html>moved</html>", b"\x30\x82" * 1000])
def test_answer_that_is_no_token_is_refused(tmp_path: Path, answer: bytes) -> None:
    path = keep_stamp(tmp_path, STAMP)
    with (
        serve(lambda query: answer) as url,
        pytest.raises(ChampionError, match="expected a time stamp of RFC 3161"),
    ):
        request_token(path, url)
    assert not path.exists()


@pytest.mark.parametrize("code", [302, 403, 503])
def test_server_that_refuses_is_named_without_its_path(tmp_path: Path, code: int) -> None:
    with (
        serve(lambda query: b"", code) as url,
        pytest.raises(ChampionError, match=rf"127\.0\.0\.1: .*answered {code}") as raised,
    ):
        request_token(keep_stamp(tmp_path, STAMP), url)
    assert "secret" not in str(raised.value)


def test_silent_server_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnn_pipelines.connectors.posting.TIMEOUT_SECONDS", 0.2)
    with (
        serve(lambda query: time.sleep(1) or b"") as url,
        pytest.raises(ChampionError, match="timed out"),
    ):
        request_token(keep_stamp(tmp_path, STAMP), url)


def test_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ChampionError, match="need the program openssl"):
        make_query(keep_stamp(tmp_path, STAMP))
