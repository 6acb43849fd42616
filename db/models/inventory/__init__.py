"""How much is where: inventory levels."""
