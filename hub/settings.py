"""Settings: one TOML file, each key overridable by an environment variable `SIMPUL_<KEY>`. Unknown keys and
impossible values refuse the start, naming the key. `deploy/simpul.toml` is the documented default."""

# ruff: noqa: RUF009  # each default is immutable; the call only adds its parser

from __future__ import annotations

import difflib
import ipaddress
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hub.errors import SettingsError

PREFIX: Final = "SIMPUL_"
NOT_OURS: Final = ("SIMPUL_TEST_", "SIMPUL_CLIENT_", "SIMPUL_CONNECTOR_", "SIMPUL_DEMO_", "SIMPUL_BENCH_")
NOT_OURS_NAMES: Final = frozenset({"SIMPUL_WEBHOOK_SECRET"})
"""Environment variables of our tools and connectors that are no settings of the hub."""

NEAR: Final = 0.75
"""How alike two names are, of 1, for one to be suggested in place of the other."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text is needed")
    return value.strip()


def _path(value: Any) -> Path:
    text = _text(value)
    if "\0" in text:
        raise ValueError("a path without NUL is needed")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{text!r} names a home folder that is not known") from error


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0", "yes", "no"):
        return value.lower() in ("true", "1", "yes")
    raise ValueError("true or false is needed")


def _number(low: float, high: float) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if isinstance(value, (bool, float)):
            raise ValueError("a whole number is needed")  # noqa: TRY004  # one error for every flaw
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high} is needed")
        return number

    return parse


def _networks(value: Any) -> tuple[Network, ...]:
    items = value.split(",") if isinstance(value, str) else value
    return tuple(ipaddress.ip_network(str(item).strip()) for item in items if str(item).strip())


def _listen(value: Any) -> tuple[str, int]:
    host, separator, port = _text(value).rpartition(":")
    if not separator or not port.isdecimal():
        raise ValueError("host:port is needed, such as 127.0.0.1:8080")
    if int(port) > 65535:
        raise ValueError(f"there is no port {port}; they go from 1 to 65535")
    return host.strip("[]") or "127.0.0.1", int(port)


def _url(value: Any) -> str:
    text = _text(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address such as https://simpul.example.go.id is needed")
    return text


_CREDENTIALS: Final = re.compile(r"\A[^@/]*@")
"""What libpq takes for user and password: all before the first @, if no / comes before it."""
_BARE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


_ENCODE: Final = (
    "the password within the address is to be percent-encoded, @ : / ? # [ ] % as %40 %3A %2F %3F %23 %5B "
    "%5D %25, or to stand as it is in PGPASSWORD instead"
)


def _flaw_of_address(rest: str) -> str | None:
    """What PostgreSQL's driver would misread after `postgresql://`; no part of a password is repeated."""
    place = _CREDENTIALS.sub("", rest, count=1)
    before = place.partition("?")[0]
    hosts, _, name = before.partition("/")
    ports = [host.rpartition("]")[2].rpartition(":")[2] for host in hosts.split(",") if ":" in host]
    flaw = None
    if not name or "/" in name or any(c.isspace() or c == "\0" for c in rest):
        flaw = "postgresql://user:password@host:port/name is needed, with the database's name"
    elif not all(not port or (port.isdecimal() and 0 < int(port) < 65536) for port in ports):
        flaw = "a port from 1 to 65535 is needed after each host"
    if "@" in before or _BARE_PERCENT.search(rest) or (flaw and "@" in place):
        flaw = _ENCODE
        if "@" in rest:
            flaw += f" (after the last @ stands {re.split('[/?]', rest.rpartition('@')[2])[0]!r})"
    return flaw


def _database(value: Any) -> str:
    text = _text(value)
    if text.startswith("sqlite:///"):
        return text
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in ("postgresql", "postgres"):
        raise ValueError("sqlite:///PATH or postgresql://user:password@host:port/name is needed")
    if flaw := _flaw_of_address(rest):
        raise ValueError(flaw)
    return f"postgresql://{rest}"


def _addresses(value: Any) -> str:
    addresses = [address.strip() for address in _text(value).split(",")]
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise ValueError("host:port is needed, several with commas, such as kafka-1:9092,kafka-2:9092")
    return ",".join(addresses)


def _topic_prefix(value: Any) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,98}[.]", text := _text(value)):
        raise ValueError("letters, digits, dots, hyphens and underscores are needed, a dot at the end")
    return text


def _sasl_mechanism(value: Any) -> str:
    if (text := _text(value).upper()) not in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        raise ValueError("PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 is needed")
    return text


def _level(value: Any) -> str:
    if (text := _text(value).lower()) not in ("debug", "info", "warning", "error"):
        raise ValueError("debug, info, warning or error is needed")
    return text


def _rate(value: Any) -> float | None:
    number = -1.0 if isinstance(value, bool) else float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError("requests a second are needed, 0 for no limit")
    return number or None


def _setting(parse: Callable[[Any], Any], default: Any) -> Any:
    return field(default=default, metadata={"parse": parse})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of the hub; units are last in the names."""

    data_dir: Path = _setting(_path, Path("var"))
    database_url: str | None = field(default=None, metadata={"parse": _database}, repr=False)
    listen: tuple[str, int] = _setting(_listen, ("127.0.0.1", 8080))
    public_url: str | None = _setting(_url, None)
    master_key_file: Path | None = _setting(_path, None)
    webhook_allowed_networks: tuple[Network, ...] = _setting(_networks, ())
    trusted_proxies: tuple[Network, ...] = _setting(_networks, ())
    tls_in_front: bool = _setting(_flag, False)
    rate_limit_per_client_per_s: float | None = _setting(_rate, None)
    max_attachment_bytes: int = _setting(_number(1024, 1 << 30), 10 * 1024 * 1024)
    token_lifetime_s: int = _setting(_number(300, 900), 600)
    signing_key_overlap_s: int = _setting(_number(900, 30 * 86400), 3600)
    signing_key_publish_ahead_s: int = _setting(_number(0, 86400), 120)
    session_idle_s: int = _setting(_number(60, 86400), 1800)
    session_lifetime_s: int = _setting(_number(300, 7 * 86400), 43200)
    one_time_password_hours: int = _setting(_number(1, 720), 72)
    webhook_secret_overlap_s: int = _setting(_number(0, 30 * 86400), 86400)
    webhook_timeout_s: int = _setting(_number(1, 120), 15)
    webhook_max_attempts: int = _setting(_number(1, 100), 10)
    stream_limit: int = _setting(_number(1, 100_000), 2000)
    stream_limit_per_agency: int = _setting(_number(1, 100_000), 200)
    stream_heartbeat_s: int = _setting(_number(1, 300), 15)
    stream_write_timeout_s: int = _setting(_number(1, 300), 30)
    stream_buffer_bytes: int = _setting(_number(256 * 1024, 64 * 1024 * 1024), 512 * 1024)
    delivery_retention_days: int = _setting(_number(1, 3650), 30)
    idempotency_retention_days: int = _setting(_number(7, 3650), 7)
    mailbox_retention_days: int = _setting(_number(1, 36500), 400)
    returns_limit: int = _setting(_number(1, 100), 3)
    reopenings_limit: int = _setting(_number(0, 100), 3)
    reopen_within_days: int = _setting(_number(1, 3650), 30)
    ombudsman: str = _setting(_text, "ombudsman")
    queue_limit: int = _setting(_number(64, 1_000_000), 4096)
    log_level: str = _setting(_level, "info")
    kafka_bootstrap: str | None = _setting(_addresses, None)
    kafka_tls: bool = _setting(_flag, False)
    kafka_username: str | None = _setting(_text, None)
    kafka_password: str | None = field(default=None, metadata={"parse": _text}, repr=False)
    kafka_sasl_mechanism: str = _setting(_sasl_mechanism, "SCRAM-SHA-512")
    kafka_agency_bootstrap: str | None = _setting(_addresses, None)
    kafka_agency_tls: bool = _setting(_flag, False)
    kafka_ca_file: Path | None = _setting(_path, None)
    kafka_topic_prefix: str = _setting(_topic_prefix, "simpul.")

    @property
    def database_path(self) -> Path:
        """SQLite's file; on PostgreSQL where it would be, and where nothing is. Where a link stands for the
        file, the file: SQLite lays its own beside that one, and what lies beside it (locks, marks) must be
        the same by every name."""
        path = self.data_dir / "simpul.db"
        if self.database_url and not self.on_postgres:
            path = Path(self.database_url.removeprefix("sqlite:///"))
        return path.resolve() if path.is_symlink() else path

    @property
    def on_postgres(self) -> bool:
        return self.database_url is not None and self.database_url.startswith("postgresql://")

    @property
    def database(self) -> Path | str:
        """SQLite's file or PostgreSQL's URL."""
        return self.database_url if self.database_url and self.on_postgres else self.database_path

    @property
    def key_path(self) -> Path:
        return self.master_key_file or self.data_dir / "master.key"

    @property
    def issuer(self) -> str:
        """The public URL; by default where the hub listens."""
        host, port = self.listen
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Settings from defaults, then the file, then the environment; SettingsError names key and remedy."""
    given: dict[str, tuple[str, Any]] = {}
    known = {f.name: f for f in fields(Settings)}
    for key, value in _from_file(config).items():
        if key not in known:
            raise SettingsError(f"{config}: no such key {key!r}. {_meant(key, known)}")
        given[key] = (f"{config}: {key}", value)
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name.startswith(NOT_OURS) or name in NOT_OURS_NAMES:
            continue
        key = name.removeprefix(PREFIX).lower()
        if key not in known:
            every = [f"{PREFIX}{each}".upper() for each in known]
            raise SettingsError(f"{name}: no such setting. {_meant(name.upper(), every)}")
        given[key] = (name, value)
    return Settings(**{key: _parsed(known[key], *given[key]) for key in given})


def _meant(given: str, known: Iterable[str]) -> str:
    """The nearest name, or all of them where none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=1, cutoff=NEAR)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(names)}."


def make_data_folder(settings: Settings) -> None:
    """For its owner only; SettingsError when it cannot be made or is something else."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"data_dir: {settings.data_dir} is no folder and cannot be made one ({error.strerror}). "
            "Set SIMPUL_DATA_DIR to another."
        ) from error


def _from_file(config: Path | None) -> dict[str, Any]:
    if config is None:
        return {}
    try:
        return tomllib.loads(config.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{config}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = 'Put text in quotes, such as listen = "127.0.0.1:8080".'
        raise SettingsError(f"{config}: is not TOML ({error}). {hint}") from error


def _parsed(setting: Any, name: str, value: Any) -> Any:
    try:
        return setting.metadata["parse"](value)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{name}: {error}.") from error
