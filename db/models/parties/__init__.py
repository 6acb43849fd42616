"""Who we trade with: vendors."""
