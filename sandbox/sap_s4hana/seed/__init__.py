"""Deterministic demo data of any size: the same plan gives the same documents.

`plan.seed` fills a system: `masters` the business partners, suppliers, products and stock, `orders` the purchase
orders, `maintenance` the maintenance orders. All names are made up and plainly generic.
"""
