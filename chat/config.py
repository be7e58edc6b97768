"""Every setting of Roomful: its name in the environment, default, unit and reason."""

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadSetting(ValueError):
    """A setting that stops the start; the message names it and says what is accepted."""


def setting(name: str, default: T, parse: Callable[[str], T], why: str, *, unit: str = "", secret: bool = False) -> Any:
    return field(default=default, metadata={"name": name, "parse": parse, "why": why, "unit": unit, "secret": secret})


def whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("is not a whole number") from None
        if not least <= number <= most:
            raise ValueError(f"must be between {least} and {most}")
        return number

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def some_text(text: str) -> str:
    return text


def folder(text: str) -> Path:
    return Path(text).expanduser()


def database_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("postgres", "postgresql", "postgresql+asyncpg"):
        raise ValueError("must look like postgresql://user:password@host:5432/database")
    return text


def redis_url(text: str) -> str:
    if urlsplit(text).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must look like redis://host:6379/0")
    return text


def origin(text: str) -> str:
    """`https://chat.example.org`: scheme and host, nothing behind it."""
    parts = urlsplit(text.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
        raise ValueError("must look like https://chat.example.org, without a path")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def origins(text: str) -> tuple[str, ...]:
    return tuple(origin(part) for part in text.replace(",", " ").split())


def networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part) for part in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(f"must be addresses or networks such as 10.0.0.0/8 ({error})") from None


def secret_keys(text: str) -> tuple[str, ...]:
    keys = tuple(text.replace(",", " ").split())
    for key in keys:
        if len(key) < 32 or len(set(key)) < 8:
            raise ValueError("needs keys of 32 random characters or more; make one with: openssl rand -base64 32")
    return keys


def some_token(text: str) -> str:
    if len(text) < 16:
        raise ValueError("must have 16 characters or more")
    return text


LOOPBACK = networks("127.0.0.0/8 ::1/128")
NO_NETWORKS: tuple[Network, ...] = ()
NO_ORIGINS: tuple[str, ...] = ()
NO_KEYS: tuple[str, ...] = ()
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    host: str = setting("HOST", "127.0.0.1", some_text, "Address to listen on; 0.0.0.0 for every interface.")
    port: int = setting("PORT", 8000, whole(0, 65535), "Port to listen on; 0 takes any free one.")
    public_url: str | None = setting(
        "PUBLIC_URL",
        None,
        origin,
        "Address people use, such as https://chat.example.org; links and Secure cookies follow it.",
    )
    data_dir: Path = setting("DATA_DIR", Path("data"), folder, "Folder for the embedded database and the secret key.")
    database_url: str | None = setting(
        "DATABASE_URL",
        None,
        database_url,
        "A PostgreSQL 15 or newer of your own; without it one runs embedded.",
        secret=True,
    )
    database_pool: int = setting(
        "DATABASE_POOL", 10, whole(2, 200), "One process keeps few busy: posts share one.", unit="connections"
    )
    redis_url: str | None = setting("REDIS_URL", None, redis_url, "Ties several processes together.", secret=True)
    postgres_bin: Path | None = setting(
        "ROOMFUL_PG_BIN",
        None,
        folder,
        "Folder with the programs for the embedded PostgreSQL, where the usual ones will not do.",
    )
    postgres_user: str | None = setting(
        "ROOMFUL_PG_USER",
        None,
        some_text,
        "System user that runs the embedded PostgreSQL when Roomful is started as root.",
    )
    secret_keys: tuple[str, ...] = setting(
        "SECRET_KEY",
        NO_KEYS,
        secret_keys,
        "Signs cookies and links; several, newest first, to rotate. Made when absent.",
        secret=True,
    )
    allowed_origins: tuple[str, ...] = setting(
        "ALLOWED_ORIGINS",
        NO_ORIGINS,
        origins,
        "Other origins whose pages may use the API with a person's session; usually nobody.",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        "TRUSTED_PROXIES",
        NO_NETWORKS,
        networks,
        "Peers whose X-Forwarded-For and -Proto are believed: your reverse proxy.",
    )
    metrics_allow: tuple[Network, ...] = setting(
        "METRICS_ALLOW",
        LOOPBACK,
        networks,
        "Peers that may read /metrics without a token (not through a proxy).",
    )
    metrics_token: str | None = setting(
        "METRICS_TOKEN", None, some_token, "Bearer token that opens /metrics from anywhere.", secret=True
    )
    log_level: str = setting(
        "LOG_LEVEL",
        "info",
        one_of("debug", "info", "warning", "error"),
        "How much is logged; never message text.",
    )
    log_format: str = setting(
        "LOG_FORMAT",
        "auto",
        one_of("auto", "text", "json"),
        "auto: text at a terminal, JSON lines otherwise.",
    )

    text_limit: int = setting(
        "TEXT_LIMIT",
        10_000,
        whole(1, 15_000),
        "Long enough for a page, short enough to fit a frame.",
        unit="characters",
    )
    frame_limit: int = setting(
        "FRAME_LIMIT",
        64 * 1024,
        whole(4096, 16 * MIB),
        "Holds the longest message even in four-byte characters.",
        unit="bytes",
    )
    messages_per_minute: int = setting(
        "MESSAGES_PER_MINUTE", 30, whole(1, 10_000_000), "Sustained, per user.", unit="messages"
    )
    message_burst: int = setting("MESSAGE_BURST", 30, whole(1, 10_000_000), "At once, per user.", unit="messages")
    commands_per_second: int = setting(
        "COMMANDS_PER_SECOND", 50, whole(1, 10_000_000), "Sustained, per connection.", unit="commands"
    )
    command_burst: int = setting(
        "COMMAND_BURST", 200, whole(1, 10_000_000), "At once, per connection.", unit="commands"
    )
    requests_per_minute: int = setting(
        "REQUESTS_PER_MINUTE",
        1200,
        whole(1, 10_000_000),
        "Sustained, per address; a household or class shares one.",
        unit="requests",
    )
    request_burst: int = setting("REQUEST_BURST", 400, whole(1, 10_000_000), "At once, per address.", unit="requests")
    sign_in_attempts: int = setting(
        "SIGN_IN_ATTEMPTS",
        10,
        whole(1, 1_000_000),
        "Wrong passwords per name and address in 15 minutes.",
        unit="attempts",
    )
    sign_in_attempts_per_name: int = setting(
        "SIGN_IN_ATTEMPTS_PER_NAME",
        50,
        whole(1, 1_000_000),
        "Per name from all addresses in 15 minutes: slows guessing by many.",
        unit="attempts",
    )
    sign_in_attempts_per_address: int = setting(
        "SIGN_IN_ATTEMPTS_PER_ADDRESS",
        100,
        whole(1, 1_000_000),
        "Per address for all names in 15 minutes.",
        unit="attempts",
    )
    connections_per_user: int = setting(
        "CONNECTIONS_PER_USER", 20, whole(1, 1_000_000), "Tabs and devices of one person.", unit="connections"
    )
    connections_per_address: int = setting(
        "CONNECTIONS_PER_ADDRESS",
        300,
        whole(1, 1_000_000),
        "A school behind one address.",
        unit="connections",
    )
    connections: int = setting(
        "CONNECTIONS",
        15_000,
        whole(1, 1_000_000),
        "What the process accepts in all; 20 KB of memory each.",
        unit="connections",
    )
    upgrades_waiting: int = setting(
        "UPGRADES_WAITING",
        10_000,
        whole(1, 1_000_000),
        "Who waits to be let in when all come at once; more are told to come back a little later.",
        unit="connections",
    )
    write_buffer: int = setting(
        "WRITE_BUFFER",
        MIB,
        whole(64 * 1024, 1024 * MIB),
        "What may wait for a slow reader before it is closed.",
        unit="bytes",
    )
    session_days: int = setting(
        "SESSION_DAYS", 14, whole(1, 400), "A sign-in ends this long after its last use.", unit="days"
    )
    bcrypt_cost: int = setting(
        "BCRYPT_COST", 12, whole(4, 16), "About 0.3 s per password on a small machine.", unit="log2 rounds"
    )
    bcrypt_threads: int = setting(
        "BCRYPT_THREADS", 2, whole(1, 64), "Passwords checked at the same time; others wait.", unit="threads"
    )
    shutdown_seconds: int = setting(
        "SHUTDOWN_SECONDS", 8, whole(1, 300), "How long a stop waits for commits and sockets.", unit="seconds"
    )

    @property
    def secure(self) -> bool:
        """Whether people reach the server under https, so that cookies must never travel without it."""
        return self.public_url is not None and self.public_url.startswith("https://")

    def address(self, port: int | None = None) -> str:
        """The address to print and to build links from; `port` is the bound one where PORT is 0."""
        if self.public_url:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1", "": "127.0.0.1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{port or self.port}"


def load(environment: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """Settings from the environment, then from the `.env` file, then the defaults.

    Raises BadSetting with a sentence that names the first bad one. An empty value counts as absent.
    """
    found: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        found.update({name: value for name, value in dotenv_values(dotenv).items() if value})
    given = os.environ if environment is None else environment
    found.update({name: value for name, value in given.items() if value})
    values: dict[str, Any] = {}
    for each in fields(Settings):
        text = found.get(each.metadata["name"])
        if text is None:
            continue
        try:
            values[each.name] = each.metadata["parse"](text.strip())
        except ValueError as error:
            shown = "" if each.metadata["secret"] else f" (it is {text!r})"
            raise BadSetting(f"The setting {each.metadata['name']} {error}{shown}.") from None
    settings = Settings(**values)
    if settings.frame_limit < settings.text_limit * 4 + 1024:
        raise BadSetting(
            "The setting FRAME_LIMIT is too small for TEXT_LIMIT: it needs 4 bytes per character and 1024 more."
        )
    return settings


def describe(settings: Settings) -> list[tuple[str, str, str, str]]:
    """(name, value, unit, reason) of every setting, secrets masked: what `roomful settings` prints."""
    rows = []
    for each in fields(Settings):
        value = getattr(settings, each.name)
        if value is None or value == ():
            text = "-"
        elif each.metadata["secret"]:
            text = "(set)"
        elif isinstance(value, tuple):
            text = " ".join(str(part) for part in value)
        else:
            text = str(value)
        rows.append((each.metadata["name"], text, each.metadata["unit"], each.metadata["why"]))
    return rows
