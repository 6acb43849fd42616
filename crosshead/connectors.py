"""`crosshead connector`, `crosshead connectors` and `crosshead sandbox`: write one, try one, see what each can do."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Write and try connectors.", no_args_is_help=True)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Its slug, e.g. acme_erp.")],
    into: Annotated[Path, typer.Option(help="The source tree.")] = Path(),
) -> None:
    """Write a working skeleton: connector, simulated system, rig and tests, and its line in CONNECTORS."""
    from crosshead.scaffold import write

    try:
        files = write(name, into)
    except (ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    for path in files:
        typer.echo(str(path))
    typer.echo(f"Next: crosshead connector test {name} --save, then crosshead connector docs {name}.")


@app.command("test")
def try_one(
    name: Annotated[str, typer.Argument(help="Slug of the connector, e.g. sap_s4hana.")],
    live: Annotated[
        bool, typer.Option("--live", help="Try a live system, signed in to by CROSSHEAD_LIVE_… of the environment.")
    ] = False,
    only: Annotated[str, typer.Option(help="A part of the names of the cases to run.")] = "",
    save: Annotated[bool, typer.Option("--save", help="Keep the results as the connector's last.")] = False,
) -> None:
    """Run the suite that all connectors must pass, on the system's sandbox or on a live system."""
    from crosshead.trying import try_connector

    raise typer.Exit(try_connector(name, live=live, only=only, save=save))


@app.command("docs")
def docs(
    name: Annotated[str | None, typer.Argument(help="Slug of the connector; all of them without it.")] = None,
    into: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("docs/systems"),
) -> None:
    """Write the documentation's page of a system, from what its connector declares, was shown to do, and its README."""
    from connectors.kit.docs import page
    from connectors.registry import CONNECTORS

    for connector in CONNECTORS:
        slug = connector.spec.slug
        if name in {None, slug}:
            (into / f"{slug}.md").write_text(page(connector), "utf-8")
            typer.echo(str(into / f"{slug}.md"))


def sandbox(
    system: Annotated[str, typer.Argument(help="Slug of the system, e.g. sap_s4hana.")],
    port: Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.", min=0, max=65535)] = 0,
    orders: Annotated[int, typer.Option(help="Purchase orders to begin with.", min=0)] = 60,
    ready_file: Annotated[
        Path | None, typer.Option(help="JSON with address and credentials, written when it listens.")
    ] = None,
) -> None:
    """Run a simulated source system, to develop and test against; a line of JSON tells where it listens."""
    from crosshead.trying import run_sandbox

    raise typer.Exit(run_sandbox(system, port=port, orders=orders, ready_file=ready_file))
