"""Serve Tryton until interrupted: `python -m sandbox.tryton --postgres-url … --bin-dir …`."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.tryton.server import TrytonServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the server, write the ready file and wait for SIGINT or SIGTERM."""
    options = _parser().parse_args(arguments)
    # Taken over before the start, so that a signal during the build drops the half-built database too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    server = TrytonServer(
        postgres_url=options.postgres_url,
        bin_dir=options.bin_dir,
        cache_dir=options.cache_dir,
        port=options.port,
        database=options.database,
    )
    try:
        with server:
            _announce(server, options.ready_file)
            signal.pause()
    except KeyboardInterrupt:
        pass
    return 0


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _announce(server: TrytonServer, ready_file: Path | None) -> None:
    credentials = {
        "baseUrl": server.url,
        "database": server.database,
        "username": server.username,
        "password": server.password,
    }
    ready = json.dumps({"system": "tryton", "url": server.url, "credentials": credentials, "adminUrl": None})
    if ready_file is None:
        sys.stdout.write(ready + "\n")
        sys.stdout.flush()
        return
    # By rename, so that who waits for the file never reads half of it.
    unfinished = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
    unfinished.write_text(ready)
    unfinished.replace(ready_file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.tryton", description=__doc__)
    parser.add_argument("--postgres-url", required=True, help="postgresql://user:password@host:port/")
    parser.add_argument("--bin-dir", required=True, type=Path, help="folder with createdb, dropdb, pg_dump, pg_restore")
    parser.add_argument("--cache-dir", type=Path, default=None, help="folder for dumps (default: the user's cache)")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--database", default=None, help="name of a database to keep between runs (default: a fresh one)"
    )
    parser.add_argument("--ready-file", type=Path, default=None, help="JSON file written once the server answers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
