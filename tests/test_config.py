"""Settings: read once, checked, named when they are wrong, masked when they are shown."""

import json
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from chat.config import BadSetting, Settings, describe, load

KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
# One that is refused, for each setting that does not take every text.
BAD = {
    "PORT": ["abc", "-1", "65536", "80.5", "0x50", ""],
    "PUBLIC_URL": ["chat.example.org", "ftp://chat.example.org", "https://chat.example.org/chat", "https://"],
    "DATABASE_URL": ["mysql://localhost/chat", "localhost", "postgresql+psycopg://localhost/chat"],
    "DATABASE_POOL": ["1", "many"],
    "REDIS_URL": ["localhost:6379", "http://localhost"],
    "SECRET_KEY": ["short", "a" * 40, f"{KEY} short"],
    "ALLOWED_ORIGINS": ["*", "https://other.example.org/page", "other.example.org"],
    "TRUSTED_PROXIES": ["localhost", "10.0.0.0/33", "10.0.0.1/8"],
    "METRICS_ALLOW": ["everybody"],
    "METRICS_TOKEN": ["guessable"],
    "LOG_LEVEL": ["loud"],
    "LOG_FORMAT": ["xml"],
    "TEXT_LIMIT": ["0", "15001"],
    "FRAME_LIMIT": ["1000", "41000"],
    "SESSION_DAYS": ["0", "-3"],
    "BCRYPT_COST": ["3", "40"],
    "SHUTDOWN_SECONDS": ["0", "1e3"],
}


def loaded(**values: str) -> Settings:
    return load(values, dotenv=None)


def test_without_any_setting_it_serves_this_machine_alone_with_an_embedded_database() -> None:
    settings = load({}, dotenv=None)
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database_url is None
    assert settings.allowed_origins == ()
    assert settings.trusted_proxies == ()


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts if text])
def test_a_bad_value_is_refused_with_a_sentence_that_names_the_setting(name: str, text: str) -> None:
    with pytest.raises(BadSetting, match=name) as caught:
        loaded(**{name: text})
    sentence = str(caught.value)
    assert sentence.startswith("The setting ")
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "METRICS_TOKEN", "REDIS_URL"])
def test_a_bad_secret_is_not_repeated(name: str) -> None:
    with pytest.raises(BadSetting) as caught:
        loaded(**{name: "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_an_empty_value_counts_as_absent() -> None:
    assert loaded(PORT="", SECRET_KEY="", PUBLIC_URL="") == loaded()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# ours\nPORT=8001\nPUBLIC_URL='https://chat.example.org'  # what people type\nLOG_LEVEL=\n",
        encoding="utf-8",
    )
    settings = load({"PORT": "8002"}, file)
    assert settings.port == 8002
    assert settings.public_url == "https://chat.example.org"
    assert settings.log_level == "info"
    assert load({"PORT": ""}, file).port == 8001


def test_a_missing_file_is_no_fault(tmp_path: Path) -> None:
    assert load({"PORT": "8002"}, tmp_path / ".env").port == 8002


def test_an_unknown_name_is_none_of_our_business() -> None:
    assert load({"PORTS": "x", "LANG": "C"}, dotenv=None) == loaded()


def test_lists_are_separated_by_commas_or_spaces() -> None:
    settings = loaded(
        SECRET_KEY=f"{KEY}1, {KEY}2",
        ALLOWED_ORIGINS="https://One.example.org,http://two.example.org:8080/",
        TRUSTED_PROXIES="10.0.0.0/8 ::1",
    )
    assert settings.secret_keys == (f"{KEY}1", f"{KEY}2")
    assert settings.allowed_origins == ("https://one.example.org", "http://two.example.org:8080")
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]


def test_a_frame_must_hold_the_longest_message() -> None:
    with pytest.raises(BadSetting, match="FRAME_LIMIT is too small"):
        loaded(TEXT_LIMIT="15000", FRAME_LIMIT="60000")


def test_cookies_are_secure_where_people_come_by_https() -> None:
    assert loaded(PUBLIC_URL="https://chat.example.org").secure
    assert not loaded(PUBLIC_URL="http://chat.local:8000").secure
    assert not loaded().secure


def test_the_address_to_print_is_one_that_a_browser_can_open() -> None:
    assert loaded(HOST="0.0.0.0").address() == "http://127.0.0.1:8000"
    assert loaded(HOST="::1", PORT="0").address(4321) == "http://[::1]:4321"
    assert loaded(PUBLIC_URL="https://chat.example.org").address(4321) == "https://chat.example.org"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        loaded(PORT="1").port = 2  # type: ignore[misc]


def test_every_setting_has_a_name_and_a_reason() -> None:
    rows = describe(loaded())
    assert len(rows) == len(fields(Settings))
    names = [name for name, *_ in rows]
    assert len(set(names)) == len(names)
    for name, value, _, reason in rows:
        assert name.isupper(), name
        assert value, name
        assert reason.endswith("."), name


def test_secrets_are_masked_where_settings_are_shown() -> None:
    secrets = {
        "SECRET_KEY": f"{KEY}1 {KEY}2",
        "DATABASE_URL": "postgresql://roomful:hunter2@db/roomful",
        "METRICS_TOKEN": "hunter2-hunter2-hunter2",
        "REDIS_URL": "redis://:hunter2@redis:6379/0",
    }
    shown = {name: value for name, value, *_ in describe(loaded(**secrets))}
    assert {shown[name] for name in secrets} == {"(set)"}
    assert "hunter2" not in json.dumps(shown)


def test_the_manual_lists_every_setting_as_it_is() -> None:
    manual = (Path(__file__).parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    table = [
        tuple(cell.strip().strip("`") for cell in line.strip("|").split("|"))
        for line in manual.partition("| Setting | Default |")[2].partition("\n\n")[0].splitlines()[2:]
    ]
    defaults = describe(Settings())
    assert table == [(name, "–" if value == "-" else value, unit, why) for name, value, unit, why in defaults]
