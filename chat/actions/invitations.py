"""Invitations: links that members make, by which others join the workspace."""

from chat.actions import access
from chat.errors import Conflict, NotFound
from chat.lib.db import AsyncConnection, Tx
from chat.lib.signing import Signer
from chat.models import invitations
from chat.models.invitations import Invitation
from chat.models.sessions import SignedIn
from chat.models.users import Role

NOT_FOUND = "There is no such invitation."


async def create(tx: Tx, actor: SignedIn, *, days: int = 7, max_uses: int | None = None, role: Role) -> Invitation:
    """Any member may invite, as member or guest."""
    access.require_member(actor)
    made = await invitations.add(tx.db, created_by=actor.user, days=days, max_uses=max_uses, role=role)
    found = await invitations.find(tx.db, made)
    assert found is not None, "it was made in this transaction"
    return found


async def listing(db: AsyncConnection, actor: SignedIn) -> list[Invitation]:
    """Admins see all, others their own; usable ones first."""
    access.require_member(actor)
    return await invitations.recent(db, made_by=None if access.is_admin(actor) else actor.user)


async def revoke(tx: Tx, actor: SignedIn, invitation: int) -> None:
    """The link ends at once; who joined by it stays."""
    access.require_member(actor)
    found = await invitations.find(tx.db, invitation)
    if found is None or not (access.is_admin(actor) or found.created_by.id == actor.user):
        raise NotFound(NOT_FOUND)
    if not await invitations.revoke(tx.db, invitation):
        raise Conflict("This invitation was taken back before.")


async def behind_link(db: AsyncConnection, signer: Signer, token: str) -> Invitation | None:
    """The invitation of a `/join/…` link while it can be used."""
    named = signer.invitation(token)
    if named is None:
        return None
    invitation, created_at = named
    found = await invitations.find(db, invitation, only_usable=True)
    if found is None or int(found.created_at.timestamp()) != created_at:
        return None
    return found


def link(signer: Signer, base: str, invitation: Invitation) -> str:
    """Its address; `base` is where people reach the server, such as https://chat.example.org."""
    return f"{base}/join/{signer.invitation_token(invitation.id, invitation.created_at.timestamp())}"
