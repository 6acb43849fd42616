"""Create a bare Tryton database: modules, administrator, no data. A change of this file makes new base images."""

import tempfile
from pathlib import Path

from sandbox.tryton.process import run_to_end

ADMIN_USERNAME = "admin"
# As public as the demo data behind it: a sandbox on loopback, whose dump carries the password's hash.
ADMIN_PASSWORD = "sandbox-admin-7q"  # noqa: S105

_MODULES = ("purchase", "stock", "production", "stock_supply", "purchase_request")


def initialise(tryton_uri: str, database: str) -> None:
    """Create Tryton's tables and modules in an empty database, which takes one to three minutes.

    Raises:
        TrytonProcessError: trytond-admin failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        password_file = Path(folder) / "password"
        password_file.write_text(ADMIN_PASSWORD)
        arguments = ["-d", database, "--email", "admin@demo.example", "--activate-dependencies", "-l", "en"]
        environment = {"TRYTONPASSFILE": str(password_file)}
        run_to_end("trytond-admin", [*arguments, "-u", *_MODULES], environment, tryton_uri=tryton_uri)
