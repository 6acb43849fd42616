"""Versions of the API."""

from datetime import datetime
from typing import Final

import strawberry

from graph.entity import enumeration
from graph.versions.catalogue import Version, VersionStatus

_STATUS: Final = enumeration(VersionStatus)


@strawberry.type(description="A version of the API.")
class ApiVersion:
    """A version of the API."""

    name: str = strawberry.field(description="As requests name it: by path, header or key.")
    status: _STATUS = strawberry.field(description="How far it is in its life.")  # type: ignore[valid-type]
    newest: bool = strawberry.field(description="It is what callers get who name none.")
    released_at: datetime | None = strawberry.field(description="When it was released, UTC; null for a preview.")
    deprecated_at: datetime | None = strawberry.field(description="When it is deprecated, UTC.")
    sunset_at: datetime | None = strawberry.field(description="When it ends, UTC.")
    migration_guide: str = strawberry.field(description="Where it is told how to come to the next version.")


def api_version(of: Version, now: datetime, *, newest: bool) -> ApiVersion:
    """Tell a version."""
    return ApiVersion(
        name=of.name,
        status=of.status(now),
        newest=newest,
        released_at=of.released_at,
        deprecated_at=of.deprecated_at,
        sunset_at=of.sunset_at,
        migration_guide=of.guide,
    )
