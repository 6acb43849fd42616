"""The skeleton of a connector: its folder, a simulated system, its rig, tests and its line in the registry.

Templates are the `.txt` files beside this one, in which `$name`, `${class_name}`, `${constant}` and `$title` stand for
the connector's own.
"""

import re
from pathlib import Path
from string import Template
from typing import Final

_TEMPLATES: Final = Path(__file__).parent
_FOLDERS: Final = {"connector": "connectors/{name}", "sandbox": "sandbox/{name}", "tests": "tests/connectors/{name}"}
NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def words_of(name: str) -> dict[str, str]:
    """Give what stands for a connector's own names.

    Raises:
        ValueError: The name is none that a folder of Python may have.
    """
    if not NAME.fullmatch(name):
        raise ValueError("A connector is named in small letters and digits, words parted by _: acme_erp.")
    parts = name.split("_")
    title = " ".join(part.capitalize() for part in parts)
    return {"name": name, "class_name": title.replace(" ", ""), "constant": name.upper(), "title": title}


def write(name: str, root: Path) -> list[Path]:
    """Write the skeleton into a source tree, and its line into the registry; gives the files.

    Raises:
        ValueError: The name cannot be. FileExistsError: There is such a connector.
    """
    words = words_of(name)
    target = root / "connectors" / name
    if target.exists():
        raise FileExistsError(f"{target} is there already.")
    written = []
    for kind, folder in _FOLDERS.items():
        for template in sorted((_TEMPLATES / kind).glob("*.txt")):
            path = (
                root / folder.format(name=name) / template.name.removesuffix(".txt").replace("test_", f"test_{name}_")
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template(template.read_text("utf-8")).substitute(words), "utf-8")
            written.append(path)
    return [*written, _register(words, root)]


def _register(words: dict[str, str], root: Path) -> Path:
    """Add the connector's import and its name in CONNECTORS."""
    path = root / "connectors" / "registry.py"
    text = path.read_text("utf-8")
    line = f"from connectors.{words['name']}.connector import {words['constant']}\n"
    lines = text.splitlines(keepends=True)
    imports = [number for number, one in enumerate(lines) if one.startswith("from connectors.")]
    at = next((number for number in imports if lines[number] > line), imports[-1] + 1)
    lines.insert(at, line)
    text = "".join(lines).replace("] = (", f"] = ({words['constant']}, ", 1)
    path.write_text(text, "utf-8")
    return path
