"""Writing to Odoo: `specs` says what can be, `journal` keeps the calls of one change, the rest carries them out."""
