"""Start the simulated Odoo: `python -m sandbox.odoo --port 0 --version 18 --orders 60 --ready-file ready.json`."""

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.kit.server import run
from sandbox.odoo.app import create_app
from sandbox.odoo.config import Config
from sandbox.odoo.schema.model import VERSIONS
from sandbox.odoo.seed.plan import Plan


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; write the ready file when the server listens."""
    asked = _parser().parse_args(arguments)
    plan = Plan(
        orders=asked.orders,
        suppliers=asked.suppliers,
        materials=asked.materials,
        requests=asked.requests,
        rng_seed=asked.rng_seed,
        today=asked.today,
    )
    config = Config(version=asked.version)
    app = create_app(plan=plan, config=config)
    run(app, port=asked.port, ready_file=asked.ready_file, ready=lambda url, admin: _ready(config, url, admin))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.odoo", description="A simulated Odoo, 16 to 19.")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    parser.add_argument("--version", type=int, choices=VERSIONS, default=18)
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--suppliers", type=int, default=12)
    parser.add_argument("--materials", type=int, default=20)
    parser.add_argument("--requests", type=int, default=15, help="maintenance requests")
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--today", type=date.fromisoformat, default=None, help="day that dates count back from")
    parser.add_argument("--ready-file", type=Path, default=None, help="JSON written when the server listens")
    return parser


def _ready(config: Config, url: str, admin_url: str) -> dict[str, Any]:
    user = next(iter(config.users.values()))
    named = {"baseUrl": url, "database": config.database, "username": user.login, "apiKey": user.key}
    return {"url": url, "credentials": named, "adminUrl": admin_url}


if __name__ == "__main__":
    main()
