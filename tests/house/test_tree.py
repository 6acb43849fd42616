"""What the whole tree must be: small files, plain words, everything generated fresh."""

import re
import subprocess
from pathlib import Path

import pytest

from connectors.registry import CONNECTORS
from crosshead.settings import Settings
from db.migrate import drift
from db.types import ErrorCode
from graph.schema import sdl

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


def test_the_error_page_lists_every_code_in_order() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `([A-Z_]+)` \|", page, flags=re.MULTILINE) == [code.value for code in ErrorCode]


def test_every_connector_has_a_page() -> None:
    missing = [c.spec.slug for c in CONNECTORS if not (ROOT / "docs" / "systems" / f"{c.spec.slug}.md").is_file()]

    assert missing == []


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("word", ["tenant", "datasource", "integration_id"])
def test_words_that_the_glossary_replaced_stay_out_of_the_schema(word: str) -> None:
    assert word not in sdl().lower()
