"""The command and the composition root.

May import everything; nothing imports it. Reads the settings, builds engines,
clients, the API and the worker, and runs dev mode. Start at `crosshead.cli`.
"""

__version__ = "0.1.0"
