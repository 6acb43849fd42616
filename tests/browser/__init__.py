"""GraphiQL in a real browser, on the real product with simulated SAP S/4HANA systems connected.

Needs Debian's chromium and the built pages (`uv sync` builds them). The README's picture is made again by

    uv run --group realsystems python -m tests.browser.picture
"""
