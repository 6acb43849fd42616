"""What is true, told from the log: what a copy must equal, what was made twice, what was read twice.

Nothing here looks at a copy: see tests/fixtures/truth.py for the comparison with the product's store.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from sandbox.kit.log import Call, Edit
from sandbox.kit.system import Document

# What tells one pass over a set from another, and what tells the place in it, is up to the source's own names.
Read = tuple[str, str]
"""Entity and target (path with query) of a page that was read."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The present state of one entity of a source.

    Attributes:
        documents: By key, what whoever reads now is given.
        vanished: Keys of what was there and is not any more.
    """

    entity: str
    documents: Mapping[str, Document] = field(default_factory=dict)
    vanished: frozenset[str] = frozenset()

    @property
    def mappable(self) -> dict[str, Document]:
        """What a copy must hold as records, and nothing else; the rest it must hold apart."""
        return {key: each for key, each in self.documents.items() if each.mappable}


def truth(entity: str, documents: Iterable[Document], edits: Iterable[Edit]) -> Truth:
    """Tell the present state."""
    present = {each.key: each for each in documents}
    gone = {each.key for each in edits if each.entity == entity and each.change == "vanished" and not each.part}
    return Truth(entity, present, frozenset(gone - present.keys()))


def replayed(seeded: Mapping[str, Document], edits: Iterable[Edit], entity: str) -> dict[str, Document]:
    """Tell the present state from the log alone, for a source that keeps whole documents in it."""
    documents = dict(seeded)
    for edit in edits:
        if edit.entity != entity:
            continue
        if edit.body is None:
            documents.pop(edit.key, None)
        else:
            documents[edit.key] = Document(edit.key, edit.version, orjson.loads(edit.body), edit.mappable)
    return documents


def made(edits: Iterable[Edit]) -> dict[str, list[tuple[str, str]]]:
    """Give what callers made, by their reference: (entity, key) of each document; two of one reference are a duplicate.

    A document that vanished later was made nevertheless.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for edit in edits:
        if edit.change == "created" and edit.call is not None and edit.reference:
            found.setdefault(edit.reference, []).append((edit.entity, edit.key))
    return found


def duplicates(edits: Iterable[Edit]) -> dict[str, list[tuple[str, str]]]:
    """Give the references under which more than one document was made."""
    return {reference: keys for reference, keys in made(edits).items() if len(keys) > 1}


def effects(edits: Iterable[Edit]) -> dict[str, int]:
    """Count by reference how often callers made or changed something; 1 each is what an idempotent caller leaves."""
    calls: dict[str, set[int]] = {}
    for edit in edits:
        if edit.call is not None and edit.reference:
            calls.setdefault(edit.reference, set()).add(edit.call)
    return {reference: len(numbers) for reference, numbers in calls.items()}


_READING: Final = frozenset({"GET"})


def reads(calls: Iterable[Call], *, entity: str = "") -> Counter[Read]:
    """Count how often each page was read and answered whole."""
    return Counter(
        (call.entity, call.target)
        for call in calls
        if call.method in _READING and call.status == 200 and (not entity or call.entity == entity)
    )


def read_again(calls: Iterable[Call], *, entity: str = "") -> int:
    """Count the pages read more than once, each further time for one."""
    return sum(count - 1 for count in reads(calls, entity=entity).values())


def lines_of(documents: Iterable[Document]) -> Iterator[bytes]:
    """Write documents one a line, as the administration gives them."""
    for each in documents:
        told = {"key": each.key, "version": each.version, "mappable": each.mappable, "body": dict(each.body)}
        yield orjson.dumps(told) + b"\n"


def document_of(line: bytes) -> Document:
    """Read what `lines_of` wrote."""
    told: dict[str, Any] = orjson.loads(line)
    return Document(told["key"], told["version"], told["body"], told["mappable"])
