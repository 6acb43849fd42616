"""Signatures of deliveries, as Standard Webhooks 1.0.0 has them, and the secrets that make them."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from db.secrets import Sealed, Vault

OVERLAP: Final = timedelta(hours=24)
"""How long the secret before still signs beside a new one."""
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """One signing secret, `whsec_…`; None of `expires_at` is the present one."""

    text: str
    expires_at: datetime | None = None


def new_secret() -> str:
    """Make a secret of 32 random bytes."""
    return "whsec_" + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()


def signed(secrets: Sequence[str], *, webhook_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Give the headers of one attempt: one signature by each secret.

    Args:
        webhook_id: The same on every attempt.
        body: The bytes that are sent.
        now: When this attempt is made, UTC.
    """
    from standardwebhooks import Webhook  # here, for only senders need it

    text, at = body.decode(), now.astimezone(UTC)
    signatures = [Webhook(secret).sign(webhook_id, at, text) for secret in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def seal(vault: Vault, endpoint_id: UUID, secrets: Sequence[Secret]) -> Sealed:
    """Seal an endpoint's secrets, bound to it."""
    kept = [{"text": each.text, "expiresAt": each.expires_at and each.expires_at.isoformat()} for each in secrets]
    return vault.seal(endpoint_id, {"secrets": kept})


def opened(vault: Vault, endpoint_id: UUID, sealed: Sealed) -> list[Secret]:
    """Open an endpoint's secrets.

    Raises:
        SealBroken: Altered, moved to another row, or the master key is not here.
    """
    kept: Any = vault.open(endpoint_id, sealed)["secrets"]
    return [
        Secret(each["text"], datetime.fromisoformat(each["expiresAt"]) if each["expiresAt"] else None) for each in kept
    ]


def rotated(secrets: Sequence[Secret], new: str, *, now: datetime) -> list[Secret]:
    """Give the secrets after a rotation: the new one, and the one before until it expires; older ones are dropped."""
    before = next((each for each in secrets if each.expires_at is None), None)
    old = [Secret(before.text, now + OVERLAP)] if before is not None else []
    return [Secret(new), *old]


def valid(secrets: Sequence[Secret], *, now: datetime) -> list[str]:
    """Give the secrets that sign now, the present one first."""
    alive = [each for each in secrets if each.expires_at is None or each.expires_at > now]
    return [each.text for each in sorted(alive, key=lambda each: each.expires_at is not None)]
