"""A short storm of disconnects; the long one is benchmarks/revocation.py."""

from pathlib import Path

from pydantic import RedisDsn

from crosshead.embedded.redis import EmbeddedRedis
from crosshead.settings import Settings
from tests.fixtures.revocation_storm import RevocationStorm


async def test_disconnected_tokens_sockets_and_syncs_end_in_every_process(
    settings: Settings, superuser: str, tmp_path: Path
) -> None:
    """Two API processes and a worker, with Redis and, for the last ones, without; how soon is the benchmark's to say.

    Where the machine stalls, a store that cannot be reached is told as such (503), and asked again; nobody is let in.

    Off: `tokens.end` in jobs/disconnect.py `disconnect`, or the look-up at each request; without `unless_ended` in
    jobs/sync.py the held calls stay open.
    """
    with EmbeddedRedis(tmp_path) as redis:
        own = settings.model_copy(update={"redis_url": RedisDsn(redis.url)})
        async with RevocationStorm.open(own, superuser, redis, disconnects=20, held=4, readers=1) as storm:
            await storm.blow()
            told = await storm.figures()

    assert {name: told[name] for name in ("disconnects", "sockets")} == {"disconnects": 20, "sockets": 20}
    assert (told["acceptedAfterTheReply"], told["poolExceeded"], told["ledgerDiffers"]) == (0, 0, 0)
    assert told["refusedAfter"] >= 20 * 2
    assert told["acceptedBefore"] > 0
    assert told["connectsRefused"] == 2
    assert told["ordersStored"] == 0
