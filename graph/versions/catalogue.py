"""The versions as data, and the rule by which a request gets one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from typing import Final

HEADER: Final = "crosshead-version"
GUIDES: Final = "https://github.com/crosshead/crosshead/blob/main/docs/versions.md"


class NotServed(Exception):
    """A request names a version that is not served.

    Attributes:
        status: The HTTP status that tells it.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class VersionStatus(StrEnum):
    """How far a version is in its life."""

    PREVIEW = "PREVIEW"
    """It may still change; only who names it gets it."""
    STABLE = "STABLE"
    """It changes only by additions."""
    DEPRECATED = "DEPRECATED"
    """It ends at a date that is told; a newer one takes its place."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version.

    Attributes:
        name: As requests name it.
        released_at: When it became what callers get who name none; None for a preview.
        deprecated_at: When it was, or will be, deprecated.
        sunset_at: When it ends; a year after at the earliest.
        guide: How to come from it to the next one.
    """

    name: str
    released_at: datetime | None
    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None
    guide: str = GUIDES

    def status(self, now: datetime) -> VersionStatus:
        """Tell how far it is."""
        if self.released_at is None:
            return VersionStatus.PREVIEW
        deprecated = self.deprecated_at is not None and self.deprecated_at <= now
        return VersionStatus.DEPRECATED if deprecated else VersionStatus.STABLE

    def ended(self, now: datetime) -> bool:
        """Tell whether it is served no more."""
        return self.sunset_at is not None and self.sunset_at <= now

    @property
    def headers(self) -> dict[str, str]:
        """What every answer in this version says (RFC 9745 for Deprecation, RFC 8594 for Sunset)."""
        told = {"Crosshead-Version": self.name}
        if self.deprecated_at is not None:
            told["Deprecation"] = f"@{int(self.deprecated_at.timestamp())}"
            told["Link"] = f'<{self.guide}>; rel="deprecation"; type="text/html"'
        if self.sunset_at is not None:
            told["Sunset"] = format_datetime(self.sunset_at.astimezone(UTC), usegmt=True)
        return told


@dataclass(frozen=True, slots=True)
class Versions:
    """All versions, the oldest first.

    Raises:
        ValueError: Whoever names none would get none, now or one day: each that is released has an end.
    """

    all: tuple[Version, ...]

    def __post_init__(self) -> None:
        if all(each.released_at is None or each.sunset_at is not None for each in self.all):
            raise ValueError("one version must be released and have no end")

    def newest(self, now: datetime) -> Version:
        """Give what callers get who name none: the newest that is stable, or else the newest released."""
        served = (each for each in reversed(self.all) if each.released_at is not None and not each.ended(now))
        newest = next(served)
        return next((each for each in (newest, *served) if each.status(now) is VersionStatus.STABLE), newest)

    def problem(self, name: str, now: datetime) -> str | None:
        """Tell why a version is not served; None where it is."""
        found = next((each for each in self.all if each.name == name), None)
        served = ", ".join(each.name for each in self.all if not each.ended(now))
        if found is None:
            return f"There is no version {name[:40]!r} of the API; there are {served}."
        if found.ended(now) and found.sunset_at is not None:
            return f"Version {found.name} of the API ended on {found.sunset_at:%Y-%m-%d}; there are {served}."
        return None

    def named(self, name: str, now: datetime, *, status: int = 400) -> Version:
        """Give the version of a name.

        Raises:
            NotServed: There is none, or it has ended.
        """
        problem = self.problem(name, now)
        if problem is not None:
            raise NotServed(status, problem)
        return next(each for each in self.all if each.name == name)

    def asked(self, path: str | None, header: str | None, now: datetime) -> Version | None:
        """Give the version that a request names by its path or its header; None where it names none.

        Raises:
            NotServed: It names one that is not served, or two.
        """
        by_path = self.named(path, now, status=404) if path else None
        by_header = self.named(header.strip(), now) if header else None
        if by_path is not None and by_header is not None and by_path != by_header:
            message = f"The path names version {by_path.name}, the header {by_header.name}; name one."
            raise NotServed(400, message)
        return by_path or by_header


VERSIONS: Final = Versions((Version("v1", released_at=datetime(2026, 11, 21, tzinfo=UTC)),))
