"""What is kept running: work orders."""
