"""The models of the simulated Odoo and their fields, by version: what `fields_get` tells, and nothing else exists."""
