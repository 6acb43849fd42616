"""What `crosshead dev` is made of: one data folder, its services as processes, and what the terminal shows.

The servers it brings along live in `crosshead.embedded`.
"""
