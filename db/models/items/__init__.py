"""What is bought, stored and used: items."""
