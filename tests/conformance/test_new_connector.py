"""A connector is its folder and one line in CONNECTORS: a skeleton, written into a copy of the tree, is tried whole."""

import difflib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crosshead.scaffold import words_of, write

ROOT = Path(__file__).resolve().parents[2]
SHOWN = """
from connectors.registry import CONNECTORS
from crosshead.compose import catalogue_entities, catalogue_entry
[toy] = [each for each in CONNECTORS if each.spec.slug == "toy_erp"]
print(catalogue_entry(toy).name, [str(row.entity) for row in catalogue_entities(toy)])
"""


def run(tree: Path, *command: str) -> str:
    """Run Python on the tree; gives what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=170
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout


def crosshead(tree: Path, *arguments: str) -> str:
    return run(tree, "-c", "from crosshead.cli import app; app()", *arguments)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what connectors are made of, beside the rest as it is."""
    for package in ("connectors", "sandbox"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for package in ("crosshead", "graph", "jobs", "db"):
        (tmp_path / package).symlink_to(ROOT / package)
    return tmp_path


def test_a_new_connector_is_a_folder_and_one_line_and_does_as_it_must(tree: Path) -> None:
    before = (tree / "connectors" / "registry.py").read_text().splitlines()

    written = crosshead(tree, "connector", "new", "toy_erp").splitlines()
    crosshead(tree, "connector", "test", "toy_erp", "--save")
    report = json.loads((tree / "connectors" / "kit" / "results" / "toy_erp.json").read_text())
    (tree / "docs").mkdir()
    crosshead(tree, "connector", "docs", "toy_erp", "--into", "docs")

    after = (tree / "connectors" / "registry.py").read_text().splitlines()
    changed = [line for line in difflib.ndiff(before, after) if line.startswith("+")]
    assert changed == ["+ from connectors.toy_erp.connector import TOY_ERP", *changed[1:]]
    assert [line.startswith("+ CONNECTORS: ") for line in changed[1:]] == [True]
    folders = {Path(path).parent.as_posix() for path in written[:-1]}
    assert folders == {"connectors/toy_erp", "sandbox/toy_erp", "tests/connectors/toy_erp", "connectors"}
    assert report["matrix"] == {
        "VENDOR": {"read": "yes", "incremental": "yes", "deletions": "full run", "create": "yes", "update": "yes"}
    }
    assert [name for name, told in report["cases"].items() if told.startswith("failed")] == []
    assert sum(told == "passed" for told in report["cases"].values()) >= 50
    assert run(tree, "-c", SHOWN) == "Toy Erp ['VENDOR']\n"
    assert "## What it writes" in (tree / "docs" / "toy_erp.md").read_text()
    assert run(tree, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(tree), "tests/connectors").endswith("s\n")
    folders_of = [str(tree / folder / "toy_erp") for folder in ("connectors", "sandbox", "tests/connectors")]
    run(tree, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), *folders_of)
    run(tree, "-m", "ruff", "format", "--check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), *folders_of)


@pytest.mark.parametrize("name", ["Acme", "1st", "acme-erp", "", "../acme"])
def test_a_name_that_python_could_not_import_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="small letters"):
        write(name, tmp_path)


def test_what_is_there_is_not_written_over(tree: Path) -> None:
    with pytest.raises(FileExistsError):
        write("tryton", tree)


def test_a_name_gives_all_other_names() -> None:
    assert words_of("acme_erp") == {
        "name": "acme_erp",
        "class_name": "AcmeErp",
        "constant": "ACME_ERP",
        "title": "Acme Erp",
    }
