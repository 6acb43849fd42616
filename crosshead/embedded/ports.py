"""Free TCP ports on loopback."""

import socket

LOOPBACK = "127.0.0.1"
BIND_ATTEMPTS = 6


def free_port() -> int:
    """Return a TCP port that is free on loopback at this moment.

    Another program may take it before the caller binds it, so a caller starts its server up to
    `BIND_ATTEMPTS` times, each time with a new port (see `lost_port`).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def lost_port(log: str) -> bool:
    """Tell whether a server's log says that someone else had taken its port."""
    return "address already in use" in log.lower()
