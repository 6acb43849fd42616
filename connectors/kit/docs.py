"""A system's page in the documentation: what its connector declares and was shown to do, and its README."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from connectors.base import Connector, Feed, Form, WriteSpec
from connectors.kit.conformance.run import ABILITIES, Report, last
from db.types import Entity, Operation

_CONNECTORS: Final = Path(__file__).parents[1]
_NOTE: Final = "<!-- Made by `crosshead connector docs`; edit connectors/{slug}/README.md instead. -->"
_WITHOUT: Final = "—"


def page(connector: Connector) -> str:
    """Write the page."""
    spec = connector.spec
    parts = [
        f"# {spec.name}",
        _NOTE.format(slug=spec.slug),
        readme(spec.slug),
        "## What it was shown to do",
        _shown(last(spec.slug)),
        "## To connect it",
        _form(spec.credentials),
        "## What it reads",
        _table(("entity", "feed", "changes by", "pages by", "overlap", "period by", "deletions"), _feeds(connector)),
    ]
    if connector.writes:
        parts += [
            "## What it writes",
            _table(("write", "required", "may be given", "our reference"), _writes(connector)),
        ]
        steps = list(_transitions(connector))
        parts += [_table(("transition", "of", "leads to"), steps)] if steps else []
    if spec.write_defaults.model_fields:
        parts += ["## Write defaults", _form(spec.write_defaults)]
    return "\n\n".join(parts) + "\n"


def readme(slug: str) -> str:
    """Give what a connector's README says, without its title."""
    text = (_CONNECTORS / slug / "README.md").read_text("utf-8").strip()
    return text.partition("\n")[2].strip() if text.startswith("# ") else text


def _shown(report: Report | None) -> str:
    if report is None:
        return "Nothing yet: the suite was never run."
    counts = f"{report.count('passed')} cases passed, {report.count('failed')} failed"
    rows = [(entity, *(told.get(ability, "") for ability in ABILITIES)) for entity, told in report.matrix.items()]
    untried = [
        (name.replace("|", "/"), told.partition(": ")[2].replace("|", "/"))
        for name, told in report.cases.items()
        if told.startswith("not tried")
    ]
    parts = [
        f"By the suite of `crosshead connector test {report.slug}`, on its {report.against}, {report.day}: {counts}.",
        _table(("entity", *ABILITIES), rows),
    ]
    if untried:
        parts += ["Not tried:", _table(("case", "why"), untried)]
    return "\n\n".join(parts)


def _form(form: type[Form]) -> str:
    rows = [
        (f"`{name}`", info.title or "", "yes" if info.is_required() else _default(info), _meaning(info))
        for name, info in form.model_fields.items()
    ]
    return _table(("field", "title", "required, or by default", "meaning"), rows)


def _default(info: FieldInfo) -> str:
    told = info.get_default(call_default_factory=True)
    return f"`{told}`" if told not in (None, {}, "") else ""


def _meaning(info: FieldInfo) -> str:
    secret = "Secret. " if SecretStr in (info.annotation, *getattr(info.annotation, "__args__", ())) else ""
    return secret + " ".join((info.description or "").split())


def _feeds(connector: Connector) -> Iterator[Sequence[str]]:
    for feed in connector.feeds:
        yield (
            feed.entity.value,
            feed.name,
            feed.cursor or "reads whole",
            feed.tie_break,
            f"{feed.overlap.total_seconds() / 60:g} min" if feed.cursor else _WITHOUT,
            feed.period_field or _WITHOUT,
            _deletions(feed),
        )


def _deletions(feed: Feed) -> str:
    if feed.scan_every is not None:
        return f"full run, every {feed.scan_every.total_seconds() / 3600:g} h"
    return "each run" if feed.cursor is None else _WITHOUT


def _writes(connector: Connector) -> Iterator[Sequence[str]]:
    for (entity, operation), spec in connector.writes.items():
        yield (
            f"{entity} {operation}",
            _names(spec.required),
            _fields(spec),
            f"`{spec.reference_field}`" if spec.reference_field else _WITHOUT,
        )


def _fields(spec: WriteSpec) -> str:
    limits = {name: f" (at most {length})" for name, length in spec.max_length.items()}
    return ", ".join(f"{name}{limits.get(name, '')}" for name in sorted(spec.writable - spec.required)) or _WITHOUT


def _names(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or _WITHOUT


def _transitions(connector: Connector) -> Iterator[Sequence[str]]:
    specs: Mapping[tuple[Entity, Operation], WriteSpec] = connector.writes
    for (entity, _), spec in specs.items():
        for step, ends in spec.transitions.items():
            yield step, entity.value, ", ".join(sorted(ends))


def _table(head: Sequence[str], rows: Any) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)
