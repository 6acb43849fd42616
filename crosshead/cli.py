"""The `crosshead` command."""

import asyncio
import base64
import os
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

import crosshead
from crosshead.connectors import app as connectors
from crosshead.connectors import sandbox
from crosshead.settings import Settings

app = typer.Typer(
    name="crosshead",
    help="One GraphQL API over every ERP, EAM, CMMS and WMS.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
schema = typer.Typer(help="The API's schema.", no_args_is_help=True)
keys = typer.Typer(help="Master keys, which seal credentials.", no_args_is_help=True)
organization = typer.Typer(help="Organizations.", no_args_is_help=True)
app.add_typer(connectors, name="connector")
app.add_typer(schema, name="schema")
app.add_typer(keys, name="keys")
app.add_typer(organization, name="organization")
out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)

SCHEMA_FILE = Path("schema.graphql")


def _version(*, wanted: bool) -> None:
    if wanted:
        out.print(f"crosshead {crosshead.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=lambda value: _version(wanted=value), is_eager=True)
    ] = False,
) -> None:
    """One GraphQL API over every ERP, EAM, CMMS and WMS."""


def load_settings() -> Settings:
    """Read the settings, or say which are missing or wrong and stop."""
    try:
        return Settings()
    except ValidationError as error:
        err.print("[bold red]The settings are incomplete:[/]")
        for each in error.errors(include_url=False, include_input=False):
            name = "CROSSHEAD_" + str(each["loc"][0]).upper() if each["loc"] else "settings"
            field = Settings.model_fields.get(str(each["loc"][0])) if each["loc"] else None
            err.print(f"  {name}: {each['msg']}" + (f"\n      {field.description}" if field else ""), markup=False)
        raise typer.Exit(2) from None


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of the API on 127.0.0.1.", min=1, max=65535)] = 8400,
    data_dir: Annotated[Path, typer.Option(help="Where dev mode keeps its data.")] = Path(".crosshead"),
    ready_file: Annotated[Path | None, typer.Option(help="JSON file written once all is up.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Throw the data away first.")] = False,
    with_tryton: Annotated[bool, typer.Option("--with-tryton", help="Run a real Tryton ERP, too.")] = False,
) -> None:
    """Run everything on this machine: servers, sandboxes, API and worker."""
    from crosshead.dev.run import Options, run_dev

    options = Options(port=port, data_dir=data_dir, ready_file=ready_file, reset=reset, with_tryton=with_tryton)
    raise typer.Exit(run_dev(options))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; CROSSHEAD_HOST otherwise.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; CROSSHEAD_PORT otherwise.")] = None,
) -> None:
    """Run one API process."""
    from crosshead.serve import serve_api

    serve_api(load_settings(), host=host, port=port)


@app.command()
def worker() -> None:
    """Run one worker process."""
    from crosshead.serve import run_worker

    run_worker(load_settings())


@app.command()
def listen(
    forward_to: Annotated[str, typer.Option("--forward-to", help="Address that events are posted to.")],
    key: Annotated[str, typer.Option(envvar="CROSSHEAD_KEY", help="An organization key, or a connection's token.")],
    url: Annotated[str, typer.Option(envvar="CROSSHEAD_URL", help="Address of the API.")] = "http://127.0.0.1:8400",
    connection: Annotated[str | None, typer.Option(help="Whose events; the organization's own by default.")] = None,
    after: Annotated[str | None, typer.Option(help="Begin after this number; 0 for the oldest.")] = None,
    types: Annotated[list[str] | None, typer.Option("--type", help="Only this type; may be repeated.")] = None,
    secret: Annotated[str | None, typer.Option(help="Secret that signs, whsec_…; made by default.")] = None,
) -> None:
    """Post events to a local address, signed like webhooks, while developing."""
    from crosshead.listen import Listening, Stopped
    from crosshead.listen import listen as run
    from jobs.signing import new_secret

    signing = secret or new_secret()
    out.print(f"Verify with WEBHOOK_SECRET={signing}", markup=False)
    asked = Listening(url, key, forward_to, signing, connection, after, tuple(types or ()))
    try:
        asyncio.run(run(asked, lambda line: out.print(line, markup=False)))
    except Stopped as stopped:
        err.print(str(stopped), markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit from None


@app.command()
def migrate() -> None:
    """Bring the database to the newest version."""
    from db.migrate import TooOld
    from db.migrate import migrate as apply

    try:
        revision = asyncio.run(apply(str(load_settings().database_url)))
    except TooOld as error:
        err.print(str(error), markup=False)
        raise typer.Exit(1) from None
    out.print(f"The database is at revision {revision}.")


@app.command()
def settings() -> None:
    """List the settings: name, default, meaning."""
    table = Table("Variable", "Default", "Meaning", box=None, pad_edge=False)
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else str(field.default)
        table.add_row(f"CROSSHEAD_{name.upper()}", default, field.description or "")
    out.print(table)


app.command("sandbox")(sandbox)


@app.command("connectors")
def list_connectors() -> None:
    """Show what each connector was shown to do, by the last results of its suite."""
    from crosshead.trying import show

    show()


@schema.command("print")
def print_schema() -> None:
    """Print the schema in the schema definition language."""
    from graph.schema import sdl

    typer.echo(sdl(), nl=False)


@schema.command("check")
def check_schema(
    file: Annotated[Path, typer.Argument(help="The committed schema.")] = SCHEMA_FILE,
) -> None:
    """Fail where the committed schema is not the one that the code makes."""
    from graph.schema import sdl

    if not file.is_file() or file.read_text(encoding="utf-8") != sdl():
        err.print(f"{file} is stale; run: crosshead schema print > {file}", markup=False)
        raise typer.Exit(1)
    out.print(f"{file} is fresh.")


@schema.command("compare")
def compare_schema(
    file: Annotated[Path, typer.Argument(help="The committed schema.")] = SCHEMA_FILE,
    against: Annotated[str, typer.Option(help="The released version to compare with.")] = "v1",
    changelog: Annotated[Path, typer.Option(help="Where changes are told.")] = Path("CHANGELOG.md"),
) -> None:
    """Fail where the schema breaks callers of a released version, or changed without a word in the changelog."""
    from graph.versions.compare import breaking, changed, released, unnamed

    old, new = released(against), file.read_text(encoding="utf-8")
    breaks, changes = breaking(old, new), changed(old, new)
    untold = unnamed(changes, changelog.read_text(encoding="utf-8"))
    for each in breaks:
        err.print(f"It breaks callers of {against}: {each}", markup=False)
    for each in untold:
        err.print(f"{changelog}, section Unreleased, does not name `{each}`.", markup=False)
    if breaks or untold:
        raise typer.Exit(1)
    out.print(f"Callers of {against} are served; {len(changes)} changes since, each told in {changelog}.")


@keys.command("new")
def new_key(name: Annotated[str, typer.Argument(help="Id of the key.")] = "k1") -> None:
    """Make a master key, for CROSSHEAD_MASTER_KEYS."""
    typer.echo(f"{name}:{base64.b64encode(os.urandom(32)).decode()}")


@keys.command("rotate")
def rotate_keys() -> None:
    """Wrap every connection's data key under the first of CROSSHEAD_MASTER_KEYS; then the others may be taken away."""
    from crosshead.keys import rotate
    from crosshead.settings import parse_master_keys
    from db.engine import Database
    from db.secrets import SealBroken, Vault

    read = load_settings()
    found, active = parse_master_keys(read.master_keys)

    async def run() -> int:
        database = Database.open(str(read.database_url), pool_size=2, application="crosshead cli")
        try:
            return await rotate(database, Vault(found, active=active))
        finally:
            await database.close()

    try:
        done = asyncio.run(run())
    except SealBroken as error:
        err.print(f"{error} Add the key that is missing to CROSSHEAD_MASTER_KEYS, behind the first.", markup=False)
        raise typer.Exit(1) from None
    out.print(f"{done} data keys were wrapped under {active}; only it is in use now.")


@organization.command("create")
def create_organization(
    name: Annotated[str, typer.Argument(help="Its name.")],
    credits_pool: Annotated[int, typer.Option("--credits", help="Credits it may hold.", min=0)] = 100,
) -> None:
    """Make an organization and print its first key, which is shown only here."""
    from crosshead.organizations import make_organization
    from db.engine import Database

    async def make() -> str:
        database = Database.open(str(load_settings().database_url), pool_size=2, application="crosshead cli")
        try:
            return (await make_organization(database, name=name, credits_pool=credits_pool))[1]
        finally:
            await database.close()

    typer.echo(asyncio.run(make()))
