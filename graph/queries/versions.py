"""The versions of the API."""

from datetime import UTC, datetime

import strawberry

from graph.context import ApiInfo
from graph.types.versions import ApiVersion, api_version


@strawberry.type
class VersionQueries:
    """Queries of versions."""

    @strawberry.field(description="The versions of the API that are served, the oldest first.")
    def api_versions(self, info: ApiInfo) -> list[ApiVersion]:
        """Tell the versions."""
        now, versions = datetime.now(UTC), info.context.services.versions
        newest = versions.newest(now)
        return [api_version(each, now, newest=each is newest) for each in versions.all if not each.ended(now)]
