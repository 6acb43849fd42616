"""A minimal source for tests and benchmarks of the engine: orders with lines, vendors, items; no product of anybody's.

It speaks plain JSON over HTTP and serves half a million orders as fast as a page can be joined, since seeded rows are
made when they are asked for and edited ones are kept as bytes. `books` holds what is true, `app` answers, `editor` is
its users; faults, log, clock and oracle are the kit's. `python -m sandbox.ledger` runs it as a process. Its connector
lives with the tests.
"""
