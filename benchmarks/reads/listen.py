"""Serve an application on a free port as `crosshead serve` does, and say which."""

import asyncio
import json
import socket

import uvicorn
from starlette.applications import Starlette


def listen(app: Starlette) -> None:
    """Serve until told to end."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, loop="uvloop", http="httptools", log_level="error", access_log=False
    )

    class Saying(uvicorn.Server):
        """Says its port once it listens."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(json.dumps({"port": self.servers[0].sockets[0].getsockname()[1]}), flush=True)

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(Saying(config).serve())
