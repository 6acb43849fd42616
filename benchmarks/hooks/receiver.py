"""The benchmark's receiver, a process of its own: it verifies, answers by lot, and keeps a journal.

    python -m benchmarks.hooks.receiver PORT JOURNAL --failing 0.3 [--hang]

Each line of the journal is `time path webhook-id sequence status verified`; secrets are read from SECRETS, one a path.
"""

import argparse
import asyncio
import json
import os
import random
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError


class Receiver:
    """Takes deliveries at `/0`, `/1` …; `/hang` never answers."""

    def __init__(self, journal: TextIO, bodies: TextIO | None, *, failing: float) -> None:
        self._journal = journal
        self._bodies = bodies
        self._failing = failing
        self._random = random.Random(1)
        secrets = json.loads(os.environ["SECRETS"])
        self._webhooks = {path: Webhook(secret) for path, secret in secrets.items()}

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        """Take one."""
        at, body = time.time(), await request.read()
        if request.path == "/hang":
            await asyncio.sleep(3600)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            told = self._webhooks[request.path].verify(body, headers)
            verified = True
        except (WebhookVerificationError, ValueError):
            told, verified = json.loads(body), False
        status = 500 if self._random.random() < self._failing else 204
        parts = (f"{at:.6f}", request.path, headers["webhook-id"], told["sequence"], status, int(verified))
        self._journal.write(" ".join(map(str, parts)) + "\n")
        if self._bodies is not None:
            signed = {name: headers[name] for name in headers if name.startswith("webhook-")}
            self._bodies.write(json.dumps({"path": request.path, "headers": signed, "body": body.decode()}) + "\n")
        return web.Response(status=status)


async def serve(receiver: Receiver, port: int) -> None:
    """Serve until killed."""
    runner = web.ServerRunner(web.Server(receiver.take))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Be the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("journal")
    parser.add_argument("--failing", type=float, default=0.0)
    parser.add_argument("--bodies")
    asked = parser.parse_args()
    with ExitStack() as stack:
        journal = stack.enter_context(Path(asked.journal).open("a", buffering=1))
        bodies = stack.enter_context(Path(asked.bodies).open("a", buffering=1)) if asked.bodies else None
        asyncio.run(serve(Receiver(journal, bodies, failing=asked.failing), asked.port))


if __name__ == "__main__":
    main()
