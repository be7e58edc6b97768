"""Signatures and the key behind them."""

import stat
import threading
import uuid
from pathlib import Path

import pytest

from chat.lib.signing import KEY_FILE, Signer, load_or_make_keys

OLD, NEW = "the-old-key-0123456789-abcdefghijklmn", "the-new-key-0123456789-abcdefghijklmn"


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    keys = load_or_make_keys(folder)
    assert len(keys) == 1
    assert len(keys[0]) >= 43
    assert load_or_make_keys(folder) == keys
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [each.name for each in folder.iterdir()] == [KEY_FILE]


def test_many_that_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    found: list[tuple[str, ...]] = []
    gate = threading.Barrier(12)

    def start() -> None:
        gate.wait()
        found.append(load_or_make_keys(tmp_path))

    threads = [threading.Thread(target=start) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 12
    assert len(set(found)) == 1
    assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]


@pytest.mark.logs("could be read by others")
def test_a_key_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    load_or_make_keys(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    load_or_make_keys(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_several_keys_are_read_newest_first(tmp_path: Path) -> None:
    load_or_make_keys(tmp_path)
    (tmp_path / KEY_FILE).write_text(f"{NEW}\n{OLD}\n")
    assert load_or_make_keys(tmp_path) == (NEW, OLD)


@pytest.mark.parametrize("content", ["", "\n", "short", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"])
def test_a_damaged_key_stops_the_start_with_a_sentence(tmp_path: Path, content: str) -> None:
    load_or_make_keys(tmp_path)
    (tmp_path / KEY_FILE).write_text(content)
    with pytest.raises(ValueError, match=KEY_FILE):
        load_or_make_keys(tmp_path)


def test_a_newer_key_signs_and_the_older_still_opens() -> None:
    before, both, after = Signer((OLD,)), Signer((NEW, OLD)), Signer((NEW,))
    assert both.session_token(before.session_cookie("token")) == "token"
    assert after.session_token(both.session_cookie("token")) == "token"
    assert after.session_token(before.session_cookie("token")) is None
    epoch = uuid.uuid4()
    assert both.is_start_token(before.start_token(epoch), epoch)
    assert not after.is_start_token(before.start_token(epoch), epoch)


def test_a_token_of_one_kind_is_none_of_another() -> None:
    signer, epoch = Signer((NEW,)), uuid.uuid4()
    assert signer.invitation(signer.invitation_token(7, 1234.9)) == (7, 1234)
    assert signer.invitation(signer.session_cookie("7-1234")) is None
    assert signer.session_token(signer.invitation_token(7, 1234)) is None
    assert not signer.is_start_token(signer.session_cookie(epoch.hex).rpartition(".")[2], epoch)
    assert not signer.is_start_token(signer.start_token(uuid.uuid4()), epoch)


@pytest.mark.parametrize("junk", ["", ".", "a.b", "é", "\ud800", "x" * 10_000, "7-1234", "\0"])
def test_junk_is_refused_without_an_error(junk: str) -> None:
    signer = Signer((NEW,))
    assert signer.session_token(junk) is None
    assert signer.invitation(junk) is None
    assert not signer.is_start_token(junk, uuid.uuid4())
