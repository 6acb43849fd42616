"""What happens later, and the doors to it.

May import connectors and db. The doors are `queue` (wake a worker), `events`
(follow committed changes), `connect` (check and connect a system), `runs` (handle
sync runs) and `write` (carry a change to the source). Behind them: `sync` runs a pass under a
`lease`, `schedule` finds what is due, `worker` runs both.
"""
