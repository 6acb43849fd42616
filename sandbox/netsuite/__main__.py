"""Start the simulated NetSuite: `python -m sandbox.netsuite --port 0 --orders 60 --ready-file ready.json`."""

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.kit.server import run
from sandbox.netsuite.app import create_app
from sandbox.netsuite.assertions import new_key_pair
from sandbox.netsuite.config import CLIENT_ID, Certificate, Config, Options
from sandbox.netsuite.seed.plan import Plan


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; write the ready file when the server listens."""
    asked = _parser().parse_args(arguments)
    plan = Plan(
        orders=asked.orders, vendors=asked.vendors, items=asked.items, rng_seed=asked.rng_seed, today=asked.today
    )
    config = Config(zone=asked.zone)
    private, public = new_key_pair()
    certificate = Certificate(CLIENT_ID, "cert-demo", public, "integration")
    config.certificates[certificate.certificate_id] = certificate
    app = create_app(plan=plan, config=config, options=Options(concurrency=asked.concurrency))
    run(app, port=asked.port, ready_file=asked.ready_file, ready=lambda url, admin: ready(config, url, admin, private))


def ready(config: Config, url: str, admin_url: str, private_key: bytes) -> dict[str, Any]:
    """Tell where it listens, and with what to log on: a token, and the key of an OAuth 2.0 mapping."""
    token = config.tokens["tk-integration"]
    certificate = next(iter(config.certificates.values()))
    own = {"base_url": url, "account": config.account, "time_zone": config.zone}
    tba = {
        "auth_method": "TOKEN",
        "consumer_key": token.consumer_key,
        "consumer_secret": token.consumer_secret,
        "token_id": token.token_id,
        "token_secret": token.token_secret,
    }
    oauth2 = {
        "auth_method": "OAUTH2",
        "client_id": certificate.client_id,
        "certificate_id": certificate.certificate_id,
        "private_key": private_key.decode(),
    }
    return {"url": url, "credentials": {**own, **tba}, "oauth2": {**own, **oauth2}, "adminUrl": admin_url}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.netsuite", description="A simulated Oracle NetSuite.")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--vendors", type=int, default=12)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--today", type=date.fromisoformat, default=None, help="day that dates count back from")
    parser.add_argument("--zone", default="America/Los_Angeles", help="the account's time zone")
    parser.add_argument("--concurrency", type=int, default=15, help="calls that the account takes at a time")
    parser.add_argument("--ready-file", type=Path, default=None, help="JSON written when the server listens")
    return parser


if __name__ == "__main__":
    main()
