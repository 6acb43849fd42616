"""Deterministic demo data of any size: the same plan gives the same documents.

`plan.seed` fills an account: `masters` the subsidiaries, locations, vendors, items and stock, `orders` the purchase
orders. All names are made up and plainly generic.
"""
