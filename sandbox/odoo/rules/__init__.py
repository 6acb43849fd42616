"""What the simulated Odoo checks and computes when records are made, changed and deleted."""
