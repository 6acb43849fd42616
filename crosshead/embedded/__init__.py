"""Servers that `crosshead dev` and the tests bring along: a real PostgreSQL and a real Redis from Python wheels.

Nothing here is used in production. `EmbeddedPostgres` and `EmbeddedRedis` start on loopback with a free port and a
random password, keep everything in one folder, and end with the process that started them.
"""
