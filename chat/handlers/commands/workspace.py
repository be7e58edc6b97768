"""Commands about the workspace itself."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chat.actions import workspace
from chat.handlers.commands.registry import Ask, Given, Registry
from chat.models.workspace import Workspace

registry = Registry()


class WorkspaceReply(msgspec.Struct):
    workspace: Workspace


class Update(Given):
    name: Annotated[str, Meta(max_length=1000)] | None = None
    open_registration: bool | None = None


@registry.add("workspace.update", Update, "PATCH /workspace", cost=5)
async def workspace_update(ask: Ask, given: Update) -> WorkspaceReply:
    async with ask.services.db.transaction() as tx:
        now = await workspace.update(tx, ask.actor, name=given.name, open_registration=given.open_registration)
    return WorkspaceReply(now)
