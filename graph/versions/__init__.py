"""The versions of the API: which there are, how a request names one, and what may change in one that is released.

`vN.graphql` is the schema of version N as it was last released; `crosshead schema compare` holds the code to it.
"""
