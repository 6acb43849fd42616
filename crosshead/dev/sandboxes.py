"""The source systems that dev mode runs beside the product."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crosshead.dev.lock import DataDir
from crosshead.dev.servers import Servers, State
from crosshead.dev.supervisor import Service
from crosshead.embedded.errors import EmbeddedError
from crosshead.embedded.ports import free_port

_SNAKE = {"baseUrl": "base_url"}
SAP_WRITE_DEFAULTS = {
    "company_code": "1010",
    "purchasing_organization": "1010",
    "purchasing_group": "001",
    "plant": "1010",
    "storage_location": "101A",
}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A source system as a service, and how it is connected."""

    system: str
    customer: str
    service: Service
    ready_file: Path
    port: int
    write_defaults: dict[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Read what the running system said of itself: url, credentials, adminUrl."""
        said: dict[str, Any] = json.loads(self.ready_file.read_text())
        return {"system": self.system, **said}

    def credentials(self) -> dict[str, Any]:
        """Give the credentials in the names of the connect form."""
        return {_SNAKE.get(name, name): value for name, value in self.told()["credentials"].items()}


def sandboxes(data: DataDir, state: State, servers: Servers, *, with_tryton: bool) -> list[Sandbox]:
    """Give the sandboxes to run."""
    chosen = [
        _sandbox(
            data,
            state,
            "sap_s4hana",
            "Demo customer with SAP S/4HANA",
            ["--orders", "60"],
            ready_timeout_s=60,
            write_defaults=SAP_WRITE_DEFAULTS,
        )
    ]
    if with_tryton:
        _install_tryton()
        if servers.postgres is None:
            raise EmbeddedError("Tryton needs the embedded Postgres.")
        arguments = ["--postgres-url", servers.postgres.superuser_dsn(), "--bin-dir", str(servers.postgres.bin_dir)]
        arguments += ["--database", "tryton_sandbox"]
        chosen.append(_sandbox(data, state, "tryton", "Demo customer with Tryton", arguments, ready_timeout_s=600))
    return chosen


def _sandbox(
    data: DataDir,
    state: State,
    system: str,
    customer: str,
    arguments: list[str],
    *,
    ready_timeout_s: float,
    write_defaults: dict[str, Any] | None = None,
) -> Sandbox:
    ready_file = data.folder("sandboxes") / f"{system}.json"
    ready_file.unlink(missing_ok=True)
    # The same port at each start, so that a stored connection still finds its system.
    port = state.once(f"port_{system}", free_port)
    argv = [sys.executable, "-m", f"sandbox.{system}", "--port", str(port), "--ready-file", str(ready_file), *arguments]

    async def ready() -> bool:
        return ready_file.is_file()

    service = Service(system, argv, ready=ready, ready_timeout_s=ready_timeout_s)
    return Sandbox(system, customer, service, ready_file, port, write_defaults or {})


def _install_tryton() -> None:
    """Bring Tryton in where this environment lacks it: it is a dependency group of its own."""
    if find_spec("trytond") is not None:
        return
    uv = os.environ.get("UV", "uv")
    project = Path(__file__).resolve().parents[2]
    if not (project / "pyproject.toml").is_file():
        raise EmbeddedError("Tryton is not installed.", hint="Install the packages of dependency group realsystems.")
    done = subprocess.run(  # noqa: S603  (our own arguments)
        [uv, "sync", "--inexact", "--group", "realsystems", "--project", str(project)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EmbeddedError(f"Tryton could not be installed: {done.stderr[-2000:]}")
