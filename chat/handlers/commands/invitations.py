"""Commands about invitations to the workspace."""

import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chat.actions import invitations
from chat.handlers.commands.registry import Ask, Given, Registry
from chat.handlers.commands.rooms import Id
from chat.models import invitations as models
from chat.models.users import Author, Role

registry = Registry()


class Invitation(msgspec.Struct):
    """An invitation with its link, which is made anew each time: only its id is stored."""

    id: int
    link: str
    role: Role
    uses: int
    max_uses: int | msgspec.UnsetType
    expires_at: datetime.datetime
    created_by: Author
    created_at: datetime.datetime
    revoked_at: datetime.datetime | msgspec.UnsetType


class InvitationReply(msgspec.Struct):
    invitation: Invitation


class InvitationsReply(msgspec.Struct):
    invitations: list[Invitation]


@registry.add("invitation.list", Given, "GET /invitations", cost=2)
async def invitation_list(ask: Ask, given: Given) -> InvitationsReply:
    async with ask.services.db.read() as db:
        found = await invitations.listing(db, ask.actor)
    return InvitationsReply([shown(ask, each) for each in found])


class Create(Given):
    days: Annotated[int, Meta(ge=1, le=365)] = 7
    max_uses: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    role: Literal["member", "guest"] = "member"


@registry.add("invitation.create", Create, "POST /invitations", cost=5)
async def invitation_create(ask: Ask, given: Create) -> InvitationReply:
    async with ask.services.db.transaction() as tx:
        made = await invitations.create(tx, ask.actor, days=given.days, max_uses=given.max_uses, role=given.role)
    return InvitationReply(shown(ask, made))


class InvitationGiven(Given):
    invitation: Id


@registry.add("invitation.revoke", InvitationGiven, "DELETE /invitations/{invitation}", cost=5)
async def invitation_revoke(ask: Ask, given: InvitationGiven) -> None:
    async with ask.services.db.transaction() as tx:
        await invitations.revoke(tx, ask.actor, given.invitation)


def shown(ask: Ask, invitation: models.Invitation) -> Invitation:
    return Invitation(
        id=invitation.id,
        link=invitations.link(ask.services.signer, ask.origin, invitation),
        role=invitation.role,
        uses=invitation.uses,
        max_uses=msgspec.UNSET if invitation.max_uses is None else invitation.max_uses,
        expires_at=invitation.expires_at,
        created_by=invitation.created_by,
        created_at=invitation.created_at,
        revoked_at=invitation.revoked_at or msgspec.UNSET,
    )
