"""Settings from the environment, prefix CROSSHEAD_; read once, handed down as values."""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Literal

from pydantic import AnyHttpUrl, Field, PostgresDsn, RedisDsn, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.addresses import Guard
from jobs.delivery_policy import RETRY_SECONDS


class Settings(BaseSettings):
    """Everything that can be set. Secrets have no default."""

    model_config = SettingsConfigDict(env_prefix="CROSSHEAD_", frozen=True, extra="ignore")

    database_url: PostgresDsn = Field(
        description="Postgres: a login that owns the database and may take the roles crosshead_owner, _app and _system."
    )
    redis_url: RedisDsn = Field(description="Redis, or compatible: wake-ups only; its loss delays work and loses none.")
    master_keys: SecretStr = Field(
        description="Keys that seal credentials: `id:base64 of 32 bytes`, comma-separated; the first one seals,"
        " all open. `crosshead keys new` makes one."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8400, ge=0, le=65535, description="Port to listen on.")
    database_pool_size: int = Field(default=10, ge=2, le=200, description="Connections to Postgres per process.")
    source_connections_per_host: int = Field(default=4, ge=1, le=64, description="Calls under way to one source host.")
    egress_allowed_cidrs: str = Field(
        default="",
        description="Networks beside the public internet that sources may be in, comma-separated: 10.1.0.0/16, or"
        " 10.1.2.3/32@8000 for one port. Plain http is spoken to these only.",
    )
    sync_every_minutes: int = Field(default=60, ge=1, le=1440, description="Schedule of new connections, minutes.")
    sync_minimum_minutes: int = Field(default=15, ge=1, le=1440, description="The shortest schedule allowed, minutes.")
    sync_full_every_hours: int | None = Field(
        default=None,
        ge=0,
        le=8760,
        description="Time between full runs that look for deletions, for new connections, hours; by default each"
        " system's own policy (daily or weekly), 0 for none.",
    )
    sync_vanishing_percent: int = Field(
        default=20,
        ge=0,
        le=100,
        description="Where more records vanished from a source than this, people are asked before they are deleted,"
        " percent.",
    )
    lease_seconds: int = Field(default=30, ge=3, le=600, description="How long a lease outlives its worker, seconds.")
    write_lease_seconds: int = Field(
        default=15, ge=3, le=600, description="How long the lease of a write outlives its process, seconds."
    )
    worker_jobs: int = Field(default=4, ge=1, le=64, description="Runs that one worker works on at a time.")
    rate_capacity_points: int = Field(
        default=50_000, ge=10_000, le=10**9, description="Points that a token's full bucket holds."
    )
    rate_restore_points_per_second: int = Field(
        default=5_000, ge=1, le=10**9, description="Points that come back to a token's bucket each second."
    )
    request_log_days: int = Field(default=30, ge=1, le=3650, description="How long the request log is kept, days.")
    audit_log_days: int = Field(default=730, ge=1, le=36500, description="How long the audit log is kept, days.")
    worker_long_jobs: int = Field(
        default=2, ge=1, le=64, description="First and full runs that one worker works on beside them at a time."
    )
    error_retention_days: int = Field(
        default=30, ge=1, le=3650, description="How long connection errors and resolved issues are kept, days."
    )
    webhook_retry_seconds: str = Field(
        default=",".join(map(str, RETRY_SECONDS)),
        description="Seconds before each attempt at a webhook, after the one before, comma-separated; their number is"
        " that of the attempts.",
    )
    webhook_posts_per_endpoint: int = Field(
        default=16, ge=1, le=256, description="Posts to one webhook endpoint under way at once, per worker."
    )
    webhook_lease_seconds: int = Field(
        default=30, ge=15, le=600, description="How long a delivery waits for a worker that died sending it, seconds."
    )
    webhook_log_days: int = Field(
        default=30, ge=4, le=3650, description="How long deliveries and their attempts are kept, days."
    )
    event_retention_days: int = Field(
        default=90, ge=1, le=3650, description="How long events can be read and replayed, days."
    )
    public_url: AnyHttpUrl | None = Field(
        default=None,
        description="Where browsers reach the API, for links to the connect page: https://api.example.com; by default"
        " the address at which a link is asked for.",
    )
    history_retention_days: int | None = Field(
        default=None,
        ge=1,
        le=36500,
        description="How long versions of records are kept, days; all of them where it is not set. An asOf from before"
        " is refused.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["json", "console"] = Field(default="json", description="How log lines are written.")

    @field_validator("egress_allowed_cidrs")
    @classmethod
    def _networks(cls, value: str) -> str:
        parse_networks(value)
        return value

    @field_validator("webhook_retry_seconds")
    @classmethod
    def _times(cls, value: str) -> str:
        parse_seconds(value)
        return value

    @field_validator("master_keys")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        parse_master_keys(value)
        return value


def parse_networks(value: str) -> Guard:
    """Read the allowed networks.

    Raises:
        ValueError: One is malformed.
    """
    return Guard.of(part for part in value.split(",") if part.strip())


def parse_seconds(value: str) -> tuple[int, ...]:
    """Read seconds, comma-separated.

    Raises:
        ValueError: One is no whole number from 0, or there is none.
    """
    return tuple(_seconds(part.strip()) for part in value.split(","))


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is no whole number of seconds")
    return int(text)


def parse_master_keys(value: SecretStr) -> tuple[dict[str, bytes], str]:
    """Read `id:base64,…`.

    Returns:
        Key id → 32 bytes, and the id of the key that seals.

    Raises:
        ValueError: Malformed; the message holds no key material.
    """
    keys: dict[str, bytes] = {}
    for n, part in enumerate(value.get_secret_value().split(",")):
        name, _, encoded = part.strip().partition(":")
        try:
            key = b64decode(encoded, validate=True)
        except Base64Error as error:
            raise ValueError(f"master key {n + 1} is not base64") from error
        if not name or len(key) != 32 or name in keys:
            raise ValueError(f"master key {n + 1} must be `id:base64 of 32 bytes`, each id once")
        keys[name] = key
    return keys, next(iter(keys))
