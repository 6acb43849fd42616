"""The peer's side: dlt with its Postgres destination, by what its documentation recommends and beyond it.

    python -m benchmarks.syncs.peer --url postgresql://… --orders N --folder F --name NAME [--settings csv]

`recommended`: merge by its default strategy, in the file format that its page of the Postgres destination calls
preferred (`insert_values`); pages are yielded whole and buffers are larger than its default (its page "Optimizing
dlt"). Normalizing has one process: that page says never to let it have all cores, and a second one gained nothing on
two. `csv`: the same with CSV files, which its destination loads by COPY, and the merge strategy `upsert`: the quickest
of what it documents for Postgres here. `uncompressed` goes beyond: intermediate files are not gzipped, which that page
names for debugging, and two processes share normalizing. Prints its seconds as one JSON object.
"""

import argparse
import gc
import json
import os
import sys
import time
from typing import Any

from benchmarks.syncs.orders import pages

LIKE = ("recommended", "csv", "uncompressed")
SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
}


def main() -> int:
    """Load twice and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--settings", choices=LIKE, default="recommended")
    given = parser.parse_args()
    more = {}
    if given.settings == "uncompressed":
        rotated = str(max(1, given.orders // 4))
        more = {"DATA_WRITER__DISABLE_COMPRESSION": "true", "NORMALIZE__WORKERS": "2"}
        more["EXTRACT__DATA_WRITER__FILE_MAX_ITEMS"] = rotated
    os.environ.update(SETTINGS | more)
    print(json.dumps({name: load(given, changed=changed) for name, changed in (("first", False), ("second", True))}))
    return 0


def load(given: argparse.Namespace, *, changed: bool) -> dict[str, Any]:
    """Load all orders; gives the seconds, and what is there afterwards."""
    import dlt

    held = list(pages(given.orders, changed=changed))

    plain = given.settings == "recommended"
    merge = {"disposition": "merge", "strategy": "delete-insert" if plain else "upsert"}

    @dlt.resource(name="orders", primary_key="id", write_disposition=merge)
    def orders() -> Any:
        yield from held

    pipeline = dlt.pipeline(
        f"benchmark_{given.name}",
        destination=dlt.destinations.postgres(given.url),
        dataset_name=f"peer_{given.name}",
        pipelines_dir=given.folder,
    )
    gc.collect()
    gc.freeze()
    started = time.perf_counter()
    pipeline.run(orders(), loader_file_format="insert_values" if plain else "csv").raise_on_failed_jobs()
    seconds = time.perf_counter() - started
    with pipeline.sql_client() as client:
        rows = client.execute_sql("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM orders__lines)")
    return {"fetched": rows[0][0], "lines": rows[0][1], "seconds": round(seconds, 3)}


if __name__ == "__main__":
    sys.exit(main())
