"""Credentials at rest: sealed per connection, bound to its row, opened by old and new master keys."""

from dataclasses import replace
from uuid import UUID

import pytest

from db.secrets import SealBroken, Sealed, Vault

CONNECTION, OTHER = UUID(int=1), UUID(int=2)
FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
CREDENTIALS = {"username": "api", "password": "s3cret-\u00fcml", "port": 443, "hosts": ["a", "b"], "none": None}


def vault(active: str = "first", **keys: bytes) -> Vault:
    return Vault(keys or {"first": FIRST}, active=active)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_credentials_come_back_as_they_were_sealed() -> None:
    sealed = vault().seal(CONNECTION, CREDENTIALS)

    assert vault().open(CONNECTION, sealed) == CREDENTIALS
    assert sealed.key_id == "first"
    assert b"s3cret" not in sealed.sealed + sealed.wrapped_key


def test_sealing_the_same_twice_gives_nothing_in_common() -> None:
    one, two = vault().seal(CONNECTION, CREDENTIALS), vault().seal(CONNECTION, CREDENTIALS)

    assert one.sealed != two.sealed
    assert one.wrapped_key != two.wrapped_key
    assert one.sealed[:12] != two.sealed[:12]


def test_credentials_moved_to_another_connection_do_not_open() -> None:
    sealed = vault().seal(CONNECTION, CREDENTIALS)

    with pytest.raises(SealBroken):
        vault().open(OTHER, sealed)


def test_credentials_under_the_data_key_of_another_connection_do_not_open() -> None:
    own, other = vault().seal(CONNECTION, CREDENTIALS), vault().seal(OTHER, CREDENTIALS)

    with pytest.raises(SealBroken):
        vault().open(CONNECTION, replace(own, wrapped_key=other.wrapped_key))
    with pytest.raises(SealBroken):
        vault().open(CONNECTION, replace(own, sealed=other.sealed))


def test_the_parts_of_one_connection_cannot_stand_in_for_each_other() -> None:
    own = vault().seal(CONNECTION, CREDENTIALS)

    with pytest.raises(SealBroken):
        vault().open(CONNECTION, Sealed(own.key_id, own.sealed, own.wrapped_key))


def test_a_single_altered_bit_anywhere_is_found() -> None:
    sealed = vault().seal(CONNECTION, {"key": "v"})
    altered = [replace(sealed, sealed=flipped(sealed.sealed, n)) for n in range(len(sealed.sealed) * 8)]
    altered += [replace(sealed, wrapped_key=flipped(sealed.wrapped_key, n)) for n in range(len(sealed.wrapped_key) * 8)]

    for each in altered:
        with pytest.raises(SealBroken):
            vault().open(CONNECTION, each)


@pytest.mark.parametrize("left", [b"", b"\x00" * 5, b"\x00" * 12, b"\x00" * 28])
def test_what_is_left_of_a_cut_ciphertext_does_not_open(left: bytes) -> None:
    sealed = vault().seal(CONNECTION, CREDENTIALS)

    with pytest.raises(SealBroken):
        vault().open(CONNECTION, replace(sealed, sealed=left))
    with pytest.raises(SealBroken):
        vault().open(CONNECTION, replace(sealed, wrapped_key=left))


def test_an_unknown_master_key_is_named() -> None:
    sealed = vault().seal(CONNECTION, CREDENTIALS)

    with pytest.raises(SealBroken) as broken:
        vault("second", second=SECOND).open(CONNECTION, sealed)

    assert str(broken.value) == "The master key 'first' is not configured."


def test_another_master_key_under_the_same_name_does_not_open() -> None:
    sealed = vault().seal(CONNECTION, CREDENTIALS)

    with pytest.raises(SealBroken) as broken:
        vault(first=SECOND).open(CONNECTION, sealed)

    assert str(broken.value) == "The credentials cannot be opened with these keys for this connection."


def test_the_name_of_the_master_key_is_bound_to_what_it_sealed() -> None:
    sealed = vault().seal(CONNECTION, CREDENTIALS)

    with pytest.raises(SealBroken):
        vault(first=FIRST, renamed=FIRST).open(CONNECTION, replace(sealed, key_id="renamed"))


def test_a_newer_active_key_seals_while_the_older_still_opens() -> None:
    old = vault().seal(CONNECTION, CREDENTIALS)
    rotated = vault("second", first=FIRST, second=SECOND)

    new = rotated.seal(CONNECTION, {"password": "next"})

    assert rotated.open(CONNECTION, old) == CREDENTIALS
    assert new.key_id == "second"
    assert rotated.open(CONNECTION, new) == {"password": "next"}
    with pytest.raises(SealBroken):
        vault().open(CONNECTION, new)


@pytest.mark.parametrize(
    ("keys", "active"),
    [({}, "first"), ({"first": FIRST}, "second"), ({"first": FIRST[:31]}, "first"), ({"a": FIRST, "b": b""}, "a")],
)
def test_a_vault_without_whole_keys_cannot_be_built(keys: dict[str, bytes], active: str) -> None:
    with pytest.raises(ValueError, match="Master keys are 32 bytes each"):
        Vault(keys, active=active)


def test_a_data_key_is_wrapped_anew_and_the_credentials_stay_as_they_are() -> None:
    old = vault("first", first=FIRST, second=SECOND).seal(CONNECTION, CREDENTIALS)

    new = vault("second", first=FIRST, second=SECOND).rewrap(CONNECTION, old)

    assert (new.key_id, new.sealed) == ("second", old.sealed)
    assert new.wrapped_key != old.wrapped_key
    assert vault("second", second=SECOND).open(CONNECTION, new) == CREDENTIALS
    with pytest.raises(SealBroken):
        vault("second", second=SECOND).open(OTHER, new)
    with pytest.raises(SealBroken):
        vault("first", first=FIRST).open(CONNECTION, new)
