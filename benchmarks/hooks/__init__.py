"""The parts of `benchmarks/webhooks.py`."""
