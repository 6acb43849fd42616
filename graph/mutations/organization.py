"""The organization's own settings."""

from typing import Annotated

import strawberry

from db.models.organization import TokenScope
from graph.context import ApiInfo
from graph.errors import bad_input
from graph.inputs import GIVEN, UserError, given, user_error
from graph.types.organization import Organization, organization_of


@strawberry.input(description="What to change of the organization; what is left out stays.")
class UpdateOrganizationInput:
    """What to change of the organization."""

    name: str | None = strawberry.field(default=strawberry.UNSET, description="Its name, which customers are shown.")
    allowed_origins: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Origins of web pages (`https://app.example.com`), all of them, at most 50: these may embed the"
        " connect page and get its codes.",
    )


@strawberry.type(description="The changed organization.")
class UpdateOrganizationPayload:
    """The changed organization."""

    organization: Organization | None = strawberry.field(default=None, description="The organization as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type
class OrganizationMutations:
    """Mutations of the organization."""

    @strawberry.mutation(
        description="Change the organization's settings: all that is given, or nothing. Needs an organization key with"
        " the scope ADMIN."
    )
    async def update_organization(
        self,
        info: ApiInfo,
        input: Annotated[UpdateOrganizationInput, GIVEN],  # noqa: A002
    ) -> UpdateOrganizationPayload:
        """Change the organization."""
        context = info.context
        context.who.require_organization(TokenScope.ADMIN)
        changes = given(input)
        nulls = [name for name, value in changes.items() if value is None]
        if nulls:
            raise bad_input(f"{', '.join(nulls)} must not be null; leave out what stays.")
        problems = await context.services.organizations.update(context.who.scope, changes)
        if problems:
            return UpdateOrganizationPayload(user_errors=[user_error(each) for each in problems])
        return UpdateOrganizationPayload(organization=await organization_of(info))
