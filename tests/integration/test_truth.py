"""The comparison of the store with the truth: it finds nothing where all is well, and each thing that is not."""

import random
from uuid import UUID

from db.scope import Scope
from sandbox.kit import oracle
from tests.fixtures.engine import Engine
from tests.fixtures.truth import Verdict, compare

NO_FIRST_LINE = (
    "DELETE FROM purchase_order_line WHERE position = 0 AND purchase_order_id ="
    " (SELECT id FROM purchase_order WHERE source_id = $1)"
)
QUARANTINED = (
    "INSERT INTO quarantined_item (organization_id, connection_id, entity, source_id, body, reason, quarantined_at)"
    " SELECT organization_id, connection_id, entity, source_id, body, 'x', now() FROM raw_item WHERE source_id = $1"
)


async def verdict(engine: Engine, own: Scope) -> Verdict:
    ledger = engine.ledger
    assert own.connection_id is not None
    truth = oracle.truth("orders", ledger.documents("orders"), ledger.edits)
    return await compare(engine.superuser, own.connection_id, truth)


async def synced(engine: Engine) -> Scope:
    """Sync orders, edit them at random, and sync again."""
    for _ in range(12):
        engine.ledger.add()
    own = await engine.connect()
    await engine.sync(own)
    engine.ledger.pass_time(hours=1)
    mix = {"create": 2, "change": 6, "part": 3, "spoil": 1}
    engine.ledger.wire.driver.make(30, rng=random.Random(3), mix=mix)
    run = await engine.sync(own)
    assert (run["status"], len(engine.ledger.spoiled) > 0) == ("PARTIAL", True)
    return own


async def test_a_synced_store_equals_the_truth(engine: Engine) -> None:
    own = await synced(engine)

    assert (await verdict(engine, own)).as_dict() == Verdict().as_dict()


async def test_what_was_not_synced_yet_is_lost_or_stale_or_extra(engine: Engine) -> None:
    own = await synced(engine)
    fine = sorted(set(engine.ledger.orders) - engine.ledger.spoiled)
    new = engine.ledger.add()
    engine.ledger.change(fine[0], notes="otherwise")
    engine.ledger.vanish(fine[1])

    found = await verdict(engine, own)

    assert found == Verdict(lost=[new], stale=[fine[0]], extra=[fine[1]])
    assert found.counts == {"lost": 1, "extra": 1, "stale": 1, "duplicate": 0, "misplaced": 0, "gaps": 0}


DAMAGES = {
    "DELETE FROM purchase_order WHERE source_id = $1": "lost",
    "UPDATE purchase_order SET deleted_at = now() WHERE source_id = $1": "lost",
    "UPDATE purchase_order SET notes = 'x' WHERE source_id = $1": "stale",
    NO_FIRST_LINE: "stale",
    "UPDATE raw_item SET body = '{}' WHERE source_id = $1": "stale",
    "DELETE FROM raw_item WHERE source_id = $1": "stale",
    "UPDATE event SET type = 'purchase_order.created' WHERE data ->> 'sourceId' = $1": "duplicate",
    QUARANTINED: "misplaced",
    "DELETE FROM event WHERE data ->> 'sourceId' = $1": "gaps",
    "UPDATE purchase_order SET version = version + 1 WHERE source_id = $1": "gaps",
}


async def test_each_kind_of_damage_is_found(engine: Engine) -> None:
    own = await synced(engine)
    updated = "SELECT data ->> 'sourceId' FROM event WHERE type = 'purchase_order.updated' ORDER BY sequence LIMIT 1"
    key = await engine.one(updated)
    found = {}

    for damage in DAMAGES:
        damaging = engine.superuser.transaction()
        await damaging.start()
        await engine.superuser.execute(damage, key)
        found[damage] = [name for name, count in (await verdict(engine, own)).counts.items() if count]
        await damaging.rollback()

    assert found == {damage: [what] for damage, what in DAMAGES.items()}
    assert (await verdict(engine, own)).clean


async def test_a_record_stored_twice_is_found(engine: Engine) -> None:
    own = await synced(engine)
    unique = await engine.one(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'purchase_order'::regclass AND contype = 'u'"
    )
    await engine.superuser.execute(f"ALTER TABLE purchase_order DROP CONSTRAINT {unique}")
    names = [
        row["attname"]
        for row in await engine.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'purchase_order'::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = ''"
        )
    ]
    chosen = ", ".join("$2::uuid" if name == "id" else name for name in names)
    key = next(iter(set(engine.ledger.orders) - engine.ledger.spoiled))
    await engine.superuser.execute(
        f"INSERT INTO purchase_order ({', '.join(names)}) SELECT {chosen} FROM purchase_order WHERE source_id = $1",
        key,
        UUID(int=1),
    )

    assert key in (await verdict(engine, own)).duplicate
