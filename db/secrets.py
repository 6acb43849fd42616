"""Credentials sealed: a data key per connection, wrapped by a master key, bound to its row.

AES-256-GCM throughout. The connection's id and the part's name are
authenticated with each ciphertext, so that one moved to another row does not
open. Destroying the wrapped key destroys the credentials.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class SealBroken(Exception):
    """The ciphertext was altered, moved, or sealed under a key that is not here."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Credentials at rest; `key_id` names the master key."""

    key_id: str
    wrapped_key: bytes
    sealed: bytes


def _seal(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def _open(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("The credentials cannot be opened with these keys for this connection.") from error


class Vault:
    """Seals and opens with the master keys it is given.

    Args:
        keys: Key id → 32 bytes; older keys stay to open what they sealed.
        active: The key that seals.
    """

    def __init__(self, keys: Mapping[str, bytes], *, active: str) -> None:
        if active not in keys or any(len(key) != 32 for key in keys.values()):
            raise ValueError("Master keys are 32 bytes each, and the active one must be among them.")
        self._keys = dict(keys)
        self.active = active

    def seal(self, connection_id: UUID, credentials: Mapping[str, object]) -> Sealed:
        """Seal credentials for one connection under a fresh data key."""
        data_key = AESGCM.generate_key(bit_length=256)
        wrapped = _seal(self._keys[self.active], data_key, self._bound(connection_id, b"key", self.active))
        sealed = _seal(data_key, orjson.dumps(dict(credentials)), self._bound(connection_id, b"credentials", ""))
        return Sealed(self.active, wrapped, sealed)

    def open(self, connection_id: UUID, sealed: Sealed) -> dict[str, object]:
        """Open a connection's credentials.

        Raises:
            SealBroken: Altered, moved to another row, or the master key is not here.
        """
        data_key = self._data_key(connection_id, sealed)
        opened: dict[str, object] = orjson.loads(
            _open(data_key, sealed.sealed, self._bound(connection_id, b"credentials", ""))
        )
        return opened

    def rewrap(self, connection_id: UUID, sealed: Sealed) -> Sealed:
        """Wrap a connection's data key under the active master key; the credentials under it stay as they are.

        Raises:
            SealBroken: Altered, moved to another row, or the master key is not here.
        """
        data_key = self._data_key(connection_id, sealed)
        wrapped = _seal(self._keys[self.active], data_key, self._bound(connection_id, b"key", self.active))
        return Sealed(self.active, wrapped, sealed.sealed)

    def _data_key(self, connection_id: UUID, sealed: Sealed) -> bytes:
        if sealed.key_id not in self._keys:
            raise SealBroken(f"The master key {sealed.key_id!r} is not configured.")
        bound = self._bound(connection_id, b"key", sealed.key_id)
        return _open(self._keys[sealed.key_id], sealed.wrapped_key, bound)

    @staticmethod
    def _bound(connection_id: UUID, part: bytes, key_id: str) -> bytes:
        return b"crosshead/1/" + part + b"/" + connection_id.bytes + b"/" + key_id.encode()
