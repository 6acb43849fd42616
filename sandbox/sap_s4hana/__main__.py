"""Start the simulated SAP S/4HANA: `python -m sandbox.sap_s4hana --port 0 --orders 60 --ready-file ready.json`."""

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.kit.server import run
from sandbox.sap_s4hana.app import create_app
from sandbox.sap_s4hana.config import Config, Options
from sandbox.sap_s4hana.seed.plan import Plan


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; write the ready file when the server listens."""
    asked = _parser().parse_args(arguments)
    plan = Plan(
        orders=asked.orders,
        suppliers=asked.suppliers,
        materials=asked.materials,
        maintenance_orders=asked.maintenance_orders,
        rng_seed=asked.rng_seed,
        today=asked.today,
    )
    config = Config()
    app = create_app(plan=plan, config=config, options=Options(page_size=asked.page_size))
    run(app, port=asked.port, ready_file=asked.ready_file, ready=lambda url, admin: _ready(config, url, admin))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.sap_s4hana", description="A simulated SAP S/4HANA.")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--suppliers", type=int, default=12)
    parser.add_argument("--materials", type=int, default=20)
    parser.add_argument("--maintenance-orders", type=int, default=15)
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--today", type=date.fromisoformat, default=None, help="day that dates count back from")
    parser.add_argument("--page-size", type=int, default=1000, help="rows of one answer")
    parser.add_argument("--ready-file", type=Path, default=None, help="JSON written when the server listens")
    return parser


def _ready(config: Config, url: str, admin_url: str) -> dict[str, Any]:
    user = next(iter(config.users.values()))
    credentials = {"baseUrl": url, "username": user.name, "password": user.password, "client": config.client}
    return {"url": url, "credentials": credentials, "adminUrl": admin_url}


if __name__ == "__main__":
    main()
