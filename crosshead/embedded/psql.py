"""Set-up statements for the embedded cluster, run by the psql that comes with it.

This is the one place outside db/ that speaks SQL: it makes the roles and databases in which db/ then works.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from crosshead.embedded.errors import EmbeddedError

_TIMEOUT_S = 60

# Values travel as environment variables and are quoted by psql (:'name', :"name"): they show up in no process list.
# The first SET keeps a failing statement, and the password in it, out of the server's log.
_QUIET = "SET log_min_error_statement = 'panic';\n"

RENEW_ROLE = """
\\getenv role CROSSHEAD_PSQL_role
\\getenv password CROSSHEAD_PSQL_password
ALTER ROLE :"role" PASSWORD :'password';
"""

ENSURE_ROLE = """
\\getenv role CROSSHEAD_PSQL_role
\\getenv password CROSSHEAD_PSQL_password
\\getenv createrole CROSSHEAD_PSQL_createrole
SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \\gexec
ALTER ROLE :"role" LOGIN NOSUPERUSER NOBYPASSRLS NOREPLICATION NOCREATEDB :createrole PASSWORD :'password';
"""

ENSURE_DATABASE = """
\\getenv database CROSSHEAD_PSQL_database
\\getenv owner CROSSHEAD_PSQL_owner
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \\gexec
ALTER DATABASE :"database" OWNER TO :"owner";
"""


def clean_environment() -> dict[str, str]:
    """Return our environment without PG* variables, which would change what the PostgreSQL programs do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def run_psql(psql: Path, script: str, *, socket_dir: Path, port: int, user: str, values: Mapping[str, str]) -> str:
    """Run a script over the unix socket, stopping at the first error; return what it printed.

    Args:
        psql: The program.
        script: Statements and psql meta-commands; each value is read by getenv as CROSSHEAD_PSQL_name.
        socket_dir: Folder of the server's socket.
        port: The server's port, part of the socket's name.
        user: Role to connect as; the socket trusts whoever can enter its folder.
        values: Values by name; none may hold a NUL character.

    Raises:
        EmbeddedError: psql could not connect or a statement failed; holds psql's own words.
    """
    options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password"]
    # terse: an error message never quotes the statement, which may hold a password
    options += ["--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse"]
    server = [f"--host={socket_dir}", f"--port={port}", f"--username={user}", "--dbname=postgres"]
    passed = {f"CROSSHEAD_PSQL_{name}": value for name, value in values.items()}
    try:
        done = subprocess.run(  # noqa: S603 - our own program and arguments
            [str(psql), *options, *server],
            input=_QUIET + script,
            env={**clean_environment(), "PGCLIENTENCODING": "UTF8", "PGCONNECT_TIMEOUT": "10", **passed},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=_TIMEOUT_S,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise EmbeddedError(f"psql could not be run: {type(error).__name__}") from error
    if done.returncode != 0:
        raise EmbeddedError(f"setting up PostgreSQL failed: {done.stderr.strip()}")
    return done.stdout
