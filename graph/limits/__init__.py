"""How much one caller may ask: what a document may look like, what it costs, and the points of a token.

language: parses and validates a document with graphql-core.
documents: prepares a document once, measured, and keeps it.
cost: prices an operation before anything is read, in the numbers of price.
points: the bucket of points that each token spends from.
"""
