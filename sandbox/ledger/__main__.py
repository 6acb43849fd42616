"""Start a ledger: `python -m sandbox.ledger --port 0 --orders 50000`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from sandbox.kit.clock import Clock
from sandbox.kit.server import run
from sandbox.ledger.app import create_app
from sandbox.ledger.books import KEY, Books
from sandbox.ledger.seeds import Seeds


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; see sandbox.kit.server.run for what is told when it listens."""
    asked = _parser().parse_args(arguments)
    clock = Clock()
    seeds = Seeds(clock.now(), asked.orders, lines=asked.lines, vendors=asked.vendors, width=8, rng_seed=asked.rng_seed)
    books = Books(clock, seeds=seeds, page_size=asked.page_size)
    books.tombstones = asked.tombstones
    run(
        create_app(books),
        port=asked.port,
        ready_file=asked.ready_file,
        ready=lambda url, admin: {"url": url, "credentials": {"baseUrl": url, "key": KEY}, "adminUrl": admin},
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.ledger", description="A minimal source.")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--lines", type=int, default=5, help="lines of each seeded order")
    parser.add_argument("--vendors", type=int, default=50)
    parser.add_argument("--page-size", type=int, default=200, help="rows of one answer")
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--tombstones", action="store_true", help="tell what vanished")
    parser.add_argument("--ready-file", type=Path, default=None, help="JSON written when it listens")
    return parser


if __name__ == "__main__":
    main()
