"""Run the command as `python -m crosshead`."""

from crosshead.cli import app

app()
