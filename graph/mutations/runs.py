"""Handling sync runs."""

from typing import Annotated, Any

import strawberry

from db.models.organization import TokenScope
from db.types import decode_id
from graph.context import ApiInfo, Read
from graph.inputs import GIVEN, UserError, user_error
from graph.types.sync import SyncRun


@strawberry.input(description="Which run to stop.")
class CancelSyncInput:
    """Which run to stop."""

    sync_run_id: strawberry.ID = strawberry.field(description="The run.")


@strawberry.type(description="The run that was asked to stop.")
class CancelSyncPayload:
    """The run that was asked to stop."""

    sync_run: SyncRun | None = strawberry.field(
        default=None, description="The run; it is CANCELLED at once, or at its next page where a worker is at it."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was stopped.")


@strawberry.input(description="The answer to a run that awaits confirmation.")
class ConfirmDeletionsInput:
    """The answer to a run that awaits confirmation."""

    sync_run_id: strawberry.ID = strawberry.field(description="The run.")
    confirm: bool = strawberry.field(
        description="True: each record that vanished is looked up in the source, and deleted where it is gone."
        " False: all of them are left as they are, until a later run asks again."
    )


@strawberry.type(description="The run that was answered.")
class ConfirmDeletionsPayload:
    """The run that was answered."""

    sync_run: SyncRun | None = strawberry.field(default=None, description="The run as it is now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="Why the answer was not taken.")


@strawberry.type
class RunMutations:
    """Mutations of sync runs."""

    @strawberry.mutation(
        description="Stop a run, at its next page at the latest. What it has stored stays, and its checkpoint does not"
        " move: the next run begins where this one did."
    )
    async def cancel_sync(self, info: ApiInfo, input: Annotated[CancelSyncInput, GIVEN]) -> CancelSyncPayload:  # noqa: A002
        """Stop a run."""
        context = info.context
        context.who.require(TokenScope.WRITE)
        run_id = decode_id(input.sync_run_id, type_name="SyncRun")[1]
        problems = await context.services.runs.cancel(context.who.scope, run_id)
        if problems:
            return CancelSyncPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("SyncRun", one=run_id)
        return CancelSyncPayload(sync_run=read)

    @strawberry.mutation(
        description="Answer a run that awaits confirmation, because more records vanished from the source than are"
        " deleted without asking."
    )
    async def confirm_deletions(
        self,
        info: ApiInfo,
        input: Annotated[ConfirmDeletionsInput, GIVEN],  # noqa: A002
    ) -> ConfirmDeletionsPayload:
        """Answer a run."""
        context = info.context
        context.who.require(TokenScope.WRITE)
        run_id = decode_id(input.sync_run_id, type_name="SyncRun")[1]
        problems = await context.services.runs.answer(context.who.scope, run_id, delete=input.confirm)
        if problems:
            return ConfirmDeletionsPayload(user_errors=[user_error(each) for each in problems])
        read: Any = Read("SyncRun", one=run_id)
        return ConfirmDeletionsPayload(sync_run=read)
