"""The last resort: fakeredis' TCP server as a process of its own. Run as a module, never imported.

    python -m crosshead.embedded.fakeredis_server PORT

Reads its password from standard input. It accepts that one and refuses others, but lets in who gives none: fakeredis
2.40 knows no more. It forgets everything at its end.
"""

import sys
from typing import Any

from fakeredis import TcpFakeServer
from fakeredis._commands import command
from fakeredis._socket import FakeSocket

from crosshead.embedded.ports import LOOPBACK


def info(self: Any, *sections: bytes) -> bytes:  # noqa: ARG001 - all sections in one answer do no harm
    """Answer INFO: arq's worker asks it at start (arq/connections.py, log_redis_info), and fakeredis has none."""
    lines = (
        "# Server",
        "redis_version:7.0.0",
        "redis_mode:standalone",
        "# Memory",
        "used_memory_human:0B",
        "# Clients",
        f"connected_clients:{len(self._server.clients)}",
    )
    return ("\r\n".join(lines) + "\r\n").encode()


def main(port: int) -> None:
    """Serve on loopback until the process is ended."""
    password = sys.stdin.read()
    setattr(FakeSocket, info.__name__, command(name="INFO", fixed=(), repeat=(bytes,))(info))
    server = TcpFakeServer((LOOPBACK, port))
    server.fake_server.config[b"requirepass"] = password.encode()
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
