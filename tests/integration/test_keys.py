"""Master keys: nothing starts without one, and every data key can be brought under a new one."""

import base64
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from crosshead import compose
from crosshead.keys import rotate
from crosshead.settings import Settings, parse_master_keys
from db import connections
from db.engine import Database
from db.secrets import SealBroken, Vault
from tests.fixtures.front import SYSTEMS, credentials
from tests.fixtures.ledger import KEY, Ledger
from tests.fixtures.many_secrets import BOTH, Traffic, store, swap
from tests.fixtures.many_secrets import rotate as keys_rotated
from tests.fixtures.product import MASTER_KEY, Product, environment, listening

ROOT = Path(__file__).parents[2]
NEW_KEY = "newer:" + base64.b64encode(os.urandom(32)).decode()
SECRETS = "SELECT connection_id, key_id, wrapped_key, sealed FROM connection_secret ORDER BY connection_id"


def crosshead(*arguments: str, settings: Settings, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run the command; a setting that is None is left out."""
    given = {name: value for name, value in changes.items() if value is not None}
    told = environment(settings, **given)
    for name in changes.keys() - given.keys():
        del told[f"CROSSHEAD_{name.upper()}"]
    command = [sys.executable, "-m", "crosshead", *arguments]
    return subprocess.run(command, env=told, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


SHORT = f"k1:{base64.b64encode(b'x' * 31).decode()}"


@pytest.mark.parametrize(
    ("command", "keys"), [("serve", None), ("worker", None), ("serve", ""), ("serve", "k1"), ("worker", SHORT)]
)
def test_nothing_starts_without_a_master_key_and_says_how_to_make_one(
    settings: Settings, command: str, keys: str | None
) -> None:
    ended = crosshead(command, settings=settings, master_keys=keys)

    assert ended.returncode == 2
    assert "CROSSHEAD_MASTER_KEYS" in ended.stderr
    assert "`crosshead keys new` makes one" in ended.stderr
    assert keys is None or len(keys) < 10 or keys not in ended.stderr + ended.stdout


def test_a_made_key_is_one_that_is_taken(settings: Settings) -> None:
    made = [crosshead("keys", "new", name, settings=settings).stdout.strip() for name in ("a", "a")]

    keys, active = parse_master_keys(type(settings.master_keys)(made[0]))
    assert (list(keys), active, len(keys["a"])) == (["a"], "a", 32)
    assert made[0] != made[1]


async def test_data_keys_are_wrapped_anew_and_the_old_key_may_go(
    front: Product, behind: asyncpg.Connection, ledger: Ledger
) -> None:
    """Off: `row.wrapped_key` in db/credentials.py `rewrap`."""
    made = [(await front.connect("ledger", credentials(ledger)))[0] for _ in range(3)]
    before = await behind.fetch(SECRETS)

    ended = crosshead("keys", "rotate", settings=front.settings, master_keys=f"{NEW_KEY},{MASTER_KEY}")
    again = crosshead("keys", "rotate", settings=front.settings, master_keys=f"{NEW_KEY},{MASTER_KEY}")

    assert (ended.returncode, ended.stdout) == (0, "3 data keys were wrapped under newer; only it is in use now.\n")
    assert again.stdout.startswith("0 data keys")
    after = await behind.fetch(SECRETS)
    assert [row["sealed"] for row in after] == [row["sealed"] for row in before]
    assert {row["key_id"] for row in after} == {"newer"}
    keys, active = parse_master_keys(type(front.settings.master_keys)(NEW_KEY))
    opened = []
    database = Database.open(str(front.settings.database_url), pool_size=2)
    for row in after:
        async with database.read(front.scope) as session:
            found = await connections.opened(session, front.scope, row["connection_id"])
        assert found is not None
        assert found.sealed is not None
        opened.append(Vault(keys, active=active).open(found.id, found.sealed))
    await database.close()
    assert opened == [credentials(ledger)] * len(made)


async def test_a_missing_old_key_is_named_and_nothing_is_lost(front: Product, ledger: Ledger) -> None:
    await front.connect("ledger", credentials(ledger))
    keys, active = parse_master_keys(type(front.settings.master_keys)(NEW_KEY))

    async with compose.open_parts(front.settings, application="tests", connectors={}) as parts:
        with pytest.raises(SealBroken, match="The master key 'test' is not configured"):
            await rotate(parts.database, Vault(keys, active=active))
    ended = crosshead("keys", "rotate", settings=front.settings, master_keys=NEW_KEY)

    assert ended.returncode == 1
    assert "The master key 'test' is not configured. Add the key that is missing" in ended.stderr


async def test_data_keys_are_wrapped_anew_while_calls_need_them(
    front: Product, database: Database, ledger: Ledger
) -> None:
    """`benchmarks/keys.py` does it with ten thousand. Off: `row.key_id` in db/credentials.py `rewrap`."""
    made = await store(database, front.scope, ledger.url, 300)
    both = front.settings.model_copy(update={"master_keys": type(front.settings.master_keys)(BOTH)})
    async with listening(compose.api(both, connectors=SYSTEMS)) as url:
        traffic = Traffic(replace(front, url=url), database, made)
        async with traffic.flowing(callers=2, openers=1):
            told, _ = await keys_rotated(both)

        assert told == "300 data keys were wrapped under newer; only it is in use now."
        assert (traffic.failures, min(traffic.checks, traffic.opened) > 0) == ([], True)


async def test_sealed_credentials_that_were_moved_to_another_row_open_nothing(
    front: Product, database: Database, superuser: str, ledger: Ledger
) -> None:
    """Off: what `Vault` binds each ciphertext to (`_bound`, db/secrets.py)."""
    made = await store(database, front.scope, ledger.url, 4)
    traffic = Traffic(front, database, made)
    await swap(superuser, [(made[0], made[1])])

    for each in made:
        await traffic.check(each)

    assert (traffic.checks, len(traffic.failures)) == (2, 2)
    assert KEY not in str(traffic.failures)
    assert len(ledger.asked("/rights")) == 2, "the source heard of none of them"
