"""One suite for all connectors: what each of them must do, tried on a sandbox or on a live system.

A system joins with a `Rig` (see `rig`), which says how to sign in to it, how its own users edit it, and how to break
it. `suite.cases` gives the cases of a connector by what it declares; `run.run` runs them and tells what was proved.
"""
