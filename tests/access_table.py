"""What each kind of person may do: one row per command, one column per kind, one word for the outcome.

outsider  a member of the workspace who is not in the room
removed   was in the room, and was removed
guest     a guest of the workspace, in private rooms only
member    in the room
maker     made the room, wrote its message, made the invitation
admin     an admin of the workspace who is not in the room
inside    an admin of the workspace who is in the room
"""

KINDS = ("outsider", "removed", "guest", "member", "maker", "admin", "inside")

# A room may stand behind the verb: private (the usual one), public, or direct (between member and maker).
TABLE = """
                           outsider   removed    guest      member     maker      admin      inside
ping                       ok         ok         ok         ok         ok         ok         ok
presence.set               ok         ok         ok         ok         ok         ok         ok
resume                     ok         ok         ok         ok         ok         ok         ok

room.list                  ok         ok         ok         ok         ok         ok         ok
room.browse                ok         ok         forbidden  ok         ok         ok         ok
room.create                ok         ok         forbidden  ok         ok         ok         ok
room.direct                ok         ok         ok         ok         ok         ok         ok
room.direct  stranger      ok         ok         not_found  ok         ok         ok         ok

room.get                   not_found  not_found  ok         ok         ok         not_found  ok
room.update                not_found  not_found  forbidden  ok         ok         not_found  ok
room.archive               not_found  not_found  forbidden  forbidden  ok         not_found  ok
room.join                  not_found  not_found  ok         ok         ok         not_found  ok
room.leave                 not_found  not_found  ok         ok         ok         not_found  ok
room.read                  not_found  not_found  ok         ok         ok         not_found  ok
room.involve               not_found  not_found  ok         ok         ok         not_found  ok
room.sync                  not_found  not_found  ok         ok         ok         not_found  ok
typing                     not_found  not_found  ok         ok         ok         not_found  ok
member.list                not_found  not_found  ok         ok         ok         not_found  ok
member.add                 not_found  not_found  forbidden  ok         ok         not_found  ok
member.remove              not_found  not_found  forbidden  forbidden  ok         not_found  ok
message.list               not_found  not_found  ok         ok         ok         not_found  ok
message.get                not_found  not_found  ok         ok         ok         not_found  ok
message.post               not_found  not_found  ok         ok         ok         not_found  ok
message.edit               not_found  not_found  forbidden  forbidden  ok         not_found  forbidden
message.delete             not_found  not_found  forbidden  forbidden  ok         not_found  ok

room.get       public      ok         ok         not_found  ok         ok         ok         ok
room.join      public      ok         ok         not_found  ok         ok         ok         ok
room.update    public      not_found  not_found  not_found  ok         ok         not_found  ok
room.archive   public      not_found  not_found  not_found  forbidden  ok         not_found  ok
room.leave     public      not_found  not_found  not_found  ok         ok         not_found  ok
room.read      public      not_found  not_found  not_found  ok         ok         not_found  ok
room.involve   public      not_found  not_found  not_found  ok         ok         not_found  ok
room.sync      public      not_found  not_found  not_found  ok         ok         not_found  ok
typing         public      not_found  not_found  not_found  ok         ok         not_found  ok
member.list    public      not_found  not_found  not_found  ok         ok         not_found  ok
member.add     public      not_found  not_found  not_found  ok         ok         not_found  ok
member.remove  public      not_found  not_found  not_found  forbidden  ok         not_found  ok
message.list   public      not_found  not_found  not_found  ok         ok         not_found  ok
message.get    public      not_found  not_found  not_found  ok         ok         not_found  ok
message.post   public      not_found  not_found  not_found  ok         ok         not_found  ok
message.edit   public      not_found  not_found  not_found  forbidden  ok         not_found  forbidden
message.delete public      not_found  not_found  not_found  forbidden  ok         not_found  ok

room.get       direct      not_found  not_found  not_found  ok         ok         not_found  not_found
room.update    direct      not_found  not_found  not_found  forbidden  forbidden  not_found  not_found
room.archive   direct      not_found  not_found  not_found  forbidden  forbidden  not_found  not_found
room.join      direct      not_found  not_found  not_found  ok         ok         not_found  not_found
room.leave     direct      not_found  not_found  not_found  forbidden  forbidden  not_found  not_found
room.sync      direct      not_found  not_found  not_found  ok         ok         not_found  not_found
typing         direct      not_found  not_found  not_found  ok         ok         not_found  not_found
member.list    direct      not_found  not_found  not_found  ok         ok         not_found  not_found
member.add     direct      not_found  not_found  not_found  forbidden  forbidden  not_found  not_found
member.remove  direct      not_found  not_found  not_found  forbidden  forbidden  not_found  not_found
message.list   direct      not_found  not_found  not_found  ok         ok         not_found  not_found
message.get    direct      not_found  not_found  not_found  ok         ok         not_found  not_found
message.post   direct      not_found  not_found  not_found  ok         ok         not_found  not_found
message.edit   direct      not_found  not_found  not_found  forbidden  ok         not_found  not_found
message.delete direct      not_found  not_found  not_found  forbidden  ok         not_found  not_found

user.list                  ok         ok         ok         ok         ok         ok         ok
user.get                   ok         ok         ok         ok         ok         ok         ok
user.get       stranger    ok         ok         not_found  ok         ok         ok         ok
user.update                forbidden  forbidden  forbidden  forbidden  forbidden  ok         ok
user.deactivate stranger   forbidden  forbidden  forbidden  forbidden  forbidden  ok         ok
me.get                     ok         ok         ok         ok         ok         ok         ok
me.update                  ok         ok         ok         ok         ok         ok         ok
me.password                ok         ok         ok         ok         ok         ok         ok
session.list               ok         ok         ok         ok         ok         ok         ok
session.revoke             not_found  not_found  not_found  not_found  not_found  not_found  not_found
session.revoke_others      ok         ok         ok         ok         ok         ok         ok
workspace.update           forbidden  forbidden  forbidden  forbidden  forbidden  ok         ok
workspace.update register  forbidden  forbidden  forbidden  forbidden  forbidden  forbidden  forbidden
invitation.list            ok         ok         forbidden  ok         ok         ok         ok
invitation.create          ok         ok         forbidden  ok         ok         ok         ok
invitation.revoke          not_found  not_found  forbidden  not_found  ok         ok         ok
"""


def rows() -> dict[str, dict[str, str]]:
    """ "verb" or "verb subject" → kind → outcome."""
    head, *lines = [line.split() for line in TABLE.strip("\n").splitlines() if line.strip()]
    assert tuple(head) == KINDS
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        name, outcomes = " ".join(line[: -len(KINDS)]), line[-len(KINDS) :]
        assert name not in found, f"two rows for {name}"
        found[name] = dict(zip(KINDS, outcomes, strict=True))
    return found


# Every address that is no command, and what it answers to who is not signed in, to a member, and to an admin.
# 303 leads elsewhere: to the sign-in, or from there to the start.
ADDRESSES = """
                                 anonymous  member  admin
GET  /health                     200        200     200
GET  /ready                      200        200     200
GET  /metrics                    200        200     200
GET  /ws                         401        400     400
GET  /sign-in                    200        303     303
POST /sign-out                   403        403     403
GET  /api/v1/session             405        405     405
DELETE /api/v1/session           401        200     200
GET  /join/nonsense              410        303     303
GET  /register                   403        303     303
GET  /start/nonsense             410        303     303
GET  /static/nonsense            404        404     404
GET  /favicon.svg                200        200     200
GET  /                           303        200     200
GET  /rooms/1                    303        200     200
GET  /api/nonsense               404        404     404
GET  /nonsense                   404        404     404
"""
