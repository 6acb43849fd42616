"""Build the seeded database once and keep its dump: initialising Tryton takes minutes, restoring a dump seconds.

Two images stand in the cache folder. `base` holds Tryton's modules and no data; it changes with the versions only.
`seeded` adds the demo company; it changes with the seed code and with the ISO week as well, because its newest order is
dated on the Monday of the week: orders then always lie within OLDEST_ORDER_DAYS + 6 days of today, and all builds of
one week hold the same data.
"""

import contextlib
import datetime as dt
import fcntl
import hashlib
import os
import re
import tempfile
import uuid
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from sandbox.tryton.client import TrytonClient
from sandbox.tryton.databases import Databases, PostgresToolError
from sandbox.tryton.initialise import ADMIN_PASSWORD, ADMIN_USERNAME, initialise
from sandbox.tryton.process import TrytonProcess
from sandbox.tryton.seed import seed

_MAGIC = "crosshead-tryton-image-1"
_BASE_SOURCES = ("initialise.py",)
_SEED_SOURCES = ("catalogue.py", "client.py", "masterdata.py", "orders.py", "seed.py")
# Older images of other weeks and versions go when a new one is stored.
_KEEP_DAYS = 21


def default_cache_dir() -> Path:
    """Return crosshead/tryton in the user's cache folder (XDG_CACHE_HOME, else ~/.cache)."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "crosshead" / "tryton"


def new_database_name() -> str:
    """Return a database name that no other run uses."""
    return f"tryton_{uuid.uuid4().hex[:12]}"


def restore_seeded(databases: Databases, name: str, *, cache_dir: Path, today: dt.date) -> None:
    """Create the database `name` with the seeded data, building what the cache lacks.

    A process that builds holds a lock in the cache folder; others wait for it. A damaged or foreign file is rebuilt.

    Raises:
        PostgresToolError, TrytonProcessError, TrytonError: The build failed; nothing was stored, no database is left.
    """
    monday = today - dt.timedelta(days=today.weekday())
    base_key = _fingerprint([databases.version(), *_versions()], _BASE_SOURCES)
    seed_key = _fingerprint([base_key, monday.isoformat()], _SEED_SOURCES)
    label = "-".join(f"{part}{metadata.version(part)}" for part in ("trytond", "trytond-purchase", "trytond-stock"))
    year, week, _ = monday.isocalendar()
    seeded = cache_dir / f"seeded-{year}w{week:02d}-{label}-{seed_key}.image"
    base = cache_dir / f"base-{label}-{base_key}.image"
    cache_dir.mkdir(parents=True, exist_ok=True)

    if _restored(databases, name, seeded, seed_key):
        return
    with _lock(cache_dir / "build.lock"):
        if _restored(databases, name, seeded, seed_key):
            return
        with _dropped_on_error(databases, name):
            if not _restored(databases, name, base, base_key):
                databases.create(name)
                initialise(databases.tryton_uri, name)
                store_image(base, base_key, databases.dump(name))
            with TrytonProcess(databases.tryton_uri, name) as process:
                client = TrytonClient(process.url, name).login(ADMIN_USERNAME, ADMIN_PASSWORD)
                seed(client, anchor=monday)
            store_image(seeded, seed_key, databases.dump(name))
        _prune(cache_dir, keep={base, seeded})


def load_image(image: Path, key: str) -> bytes | None:
    """Return the pg_dump archive in an image file; None when it is missing, damaged or was made for another key."""
    try:
        header, _, archive = image.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return archive if header.decode(errors="replace") == _header(key, archive) else None


def store_image(image: Path, key: str, archive: bytes) -> None:
    """Write an image file at once: readers see the old one, none, or all of the new one."""
    with tempfile.NamedTemporaryFile(dir=image.parent, prefix=".building-", delete=False) as target:
        target.write(_header(key, archive).encode() + b"\n" + archive)
        target.flush()
        os.fsync(target.fileno())
    Path(target.name).replace(image)


def _restored(databases: Databases, name: str, image: Path, key: str) -> bool:
    archive = load_image(image, key)
    if archive is None:
        return False
    databases.create(name)
    try:
        with _dropped_on_error(databases, name):
            databases.restore(name, archive)
    except PostgresToolError:
        # The bytes are as they were written, yet this server cannot take them: build anew.
        return False
    return True


def _header(key: str, archive: bytes) -> str:
    return f"{_MAGIC} {key} {hashlib.sha256(archive).hexdigest()}"


def _fingerprint(words: list[str], sources: tuple[str, ...]) -> str:
    digest = hashlib.sha256("\n".join(words).encode())
    for source in sources:
        digest.update(Path(__file__).with_name(source).read_bytes())
    return digest.hexdigest()[:16]


def _versions() -> list[str]:
    installed = {re.sub(r"[-_.]+", "-", dist.name).lower(): dist.version for dist in metadata.distributions()}
    return [f"{name}=={version}" for name, version in sorted(installed.items()) if name.startswith("trytond")]


def _prune(cache_dir: Path, *, keep: set[Path]) -> None:
    oldest = dt.datetime.now(dt.UTC).timestamp() - _KEEP_DAYS * 86_400
    for image in [*cache_dir.glob("*.image"), *cache_dir.glob(".building-*")]:
        if image not in keep and image.stat().st_mtime < oldest:
            image.unlink()


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    # flock, because the kernel takes it back from a process that dies.
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _dropped_on_error(databases: Databases, name: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        databases.drop(name)
        raise
