"""How Odoo's documents become our records, as data: `orders`, `masters`, `maintenance`."""
