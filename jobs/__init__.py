"""What happens later, and the doors to it.

May import connectors and db. The doors, all listed in pyproject.toml, are `queue` (wake a worker), `events` and
`channels` (follow committed changes), `connect` (check and connect a system), `runs` (handle sync runs), `write` (carry
a change to the source) and their like. Behind them: `sync` runs a pass under a `lease`, `schedule` finds what is due,
`worker` runs both.
"""
