"""What every simulated source shares: faults, the log of calls and edits, clock, server, administration, oracle.

A source is an ASGI application behind `wire.Wire`, which logs each call and lets the faults of its `faults.Script`
happen to it. What the source itself must know is `system.Simulated`: how it words a refusal, which document a path is
about, and how its own users would edit it. `server` runs it on a port that can be closed, with the administration on
another that cannot; `client` speaks to that administration, `process` starts a source in a process of its own.
`oracle` tells from the log what is true: what a copy must equal, what was made twice, what was read twice.
"""
