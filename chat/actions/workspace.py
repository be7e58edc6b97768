"""The workspace's own settings."""

from chat.actions import access, names
from chat.actions.events import WorkspaceChanged
from chat.hub.hub import EVERYONE
from chat.lib.db import Tx
from chat.models import workspace
from chat.models.sessions import SignedIn
from chat.models.workspace import Workspace


async def update(
    tx: Tx, actor: SignedIn, *, name: str | None = None, open_registration: bool | None = None
) -> Workspace:
    """Admins name the workspace; only an owner decides whether anybody may register."""
    access.require_admin(actor)
    changes: dict[str, object] = {}
    if name is not None:
        changes["name"] = names.workspace_name(name)
    if open_registration is not None:
        access.require_owner(actor)
        changes["open_registration"] = open_registration
    if changes:
        await workspace.change(tx.db, **changes)
    now = await workspace.get(tx.db)
    if changes:
        for topic in EVERYONE:
            tx.emit(topic, WorkspaceChanged(workspace=now))
    return now
