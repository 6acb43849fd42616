"""Demo data of the simulated Odoo: master data stored at once, orders made when somebody looks at them."""
