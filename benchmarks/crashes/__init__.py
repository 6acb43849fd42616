"""What benchmarks/crash.py works with: ledgers and their connections, workers and their kills, and what is counted."""
