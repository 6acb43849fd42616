"""What we buy: purchase orders and their lines."""
