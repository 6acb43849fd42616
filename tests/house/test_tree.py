"""What the whole tree must be: small files, plain words, everything generated fresh."""

import re
import subprocess
from pathlib import Path

import pytest

from connectors.registry import CONNECTORS
from crosshead.settings import Settings
from db import changes, past, summaries
from db.migrate import drift
from db.types import RETRYABLE, ErrorCode
from graph import filters
from graph.door import requests, socket
from graph.errors import MEANINGS
from graph.limits import cost, documents, language, price
from graph.schema import sdl
from graph.selection import MAX_PAGE, MAX_SORTS

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 400


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def test_no_source_file_is_longer_than_400_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in tracked("*.py", "*.ts", "*.tsx")
        if "migrations" not in path.parts and (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    ]

    assert long == []


def test_the_committed_schema_is_the_one_that_the_code_makes() -> None:
    """`crosshead schema print > schema.graphql` makes it fresh."""
    assert (ROOT / "schema.graphql").read_text(encoding="utf-8") == sdl()


async def test_the_migrations_make_what_the_models_declare(database_url: str) -> None:
    assert await drift(database_url) == []


def test_the_error_page_tells_every_code_as_the_code_has_it() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| (yes|no) \| (\d+) \| .+ \| (.+) \|$", page, flags=re.MULTILINE)

    assert rows == [
        (code.value, "yes" if code in RETRYABLE else "no", str(MEANINGS[code].status), MEANINGS[code].remedy)
        for code in ErrorCode
    ]


def test_the_page_of_limits_tells_every_cap_as_the_code_has_it() -> None:
    page = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    caps = {
        "points of one request": price.MAX_POINTS,
        "bytes of a body, or of a socket's message": requests.MAX_BODY_BYTES,
        "seconds that a body may take to arrive": int(requests.BODY_SECONDS),
        "tokens of a document": language.MAX_TOKENS,
        "fields, with fragments written out": documents.MAX_FIELDS,
        "fields at the top": documents.MAX_ROOT_FIELDS,
        "fragments": documents.MAX_FRAGMENTS,
        "operations in a document": documents.MAX_OPERATIONS,
        "directives": documents.MAX_DIRECTIVES,
        "levels": language.MAX_DEPTH,
        "reads of the store": price.MAX_READS,
        "Relay lists, with fragments written out": price.MAX_LISTS,
        "relations, with fragments written out": price.MAX_RELATIONS,
        "filter conditions": price.MAX_CONDITIONS,
        "values in any list of an argument or a variable": documents.MAX_LISTED,
        "values of a filter's `in`, event types of a list": filters.MAX_LISTED,
        "keys of `orderBy`": MAX_SORTS,
        "levels of a value": documents.MAX_NESTED,
        "rows of a page": MAX_PAGE,
        "operations under way on one socket": socket.MAX_OPERATIONS,
        "groups of a summary": summaries.MOST,
        "versions that ended since `asOf`, in a list with a filter, an order or a count": past.MOST,
        "events that a page of `changes` looks at": changes.WINDOW,
    }

    assert re.findall(r"^\| (.+) \| ([0-9,]+) \|$", page.partition("## Caps")[2], flags=re.MULTILINE) == [
        (what, f"{limit:,}") for what, limit in caps.items()
    ]
    assert [
        f"{price}" for price in re.findall(r"\| ([0-9.]+) \|$", page.partition("## Caps")[0], flags=re.MULTILINE)
    ] == [
        "1",
        str(cost.READ),
        str(cost.CHANGE),
        str(cost.COUNT),
        str(cost.SUMMARY),
        str(cost.INTROSPECTED),
    ]


def test_every_connector_has_a_page() -> None:
    missing = [c.spec.slug for c in CONNECTORS if not (ROOT / "docs" / "systems" / f"{c.spec.slug}.md").is_file()]

    assert missing == []


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("word", ["tenant", "datasource", "integration_id"])
def test_words_that_the_glossary_replaced_stay_out_of_the_schema(word: str) -> None:
    assert word not in sdl().lower()
