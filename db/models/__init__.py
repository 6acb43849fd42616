"""The stored shapes, one file per entity, grouped by area.

A `…Fields` class validates and is what connectors produce; the table class of
the same name stores it. `registry` lists the entities; types, filters, orders,
events and documentation are derived from these classes.
"""
