"""`crosshead connector` and `crosshead connectors`: write one, try one, and see what each was shown to do."""

from typing import Annotated

import typer

app = typer.Typer(help="Write and try connectors.", no_args_is_help=True)


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
