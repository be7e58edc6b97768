"""Compares what people were told with what the database holds. Each finding is a sentence; none means all is well.

The letters are the promises: V1 acknowledged exactly once, V2 seqs dense, V3 a list is the log's slice, V4 unanswered
at most once, V5 an author's order, V6 all see what the database holds, V7 nothing of a room to who is not in it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]


@dataclass
class Row:
    """A message as the database holds it. `versions` is what it said before: the seq of the change → the text."""

    id: int
    room: int
    seq: int
    changed: int
    sender: int
    kind: str
    text: str
    nonce: str | None = None
    deleted: bool = False
    data: dict[str, Any] | None = None
    versions: dict[int, str] = field(default_factory=dict)

    @property
    def first_text(self) -> str:
        return self.versions[min(self.versions)] if self.versions else self.text


@dataclass
class Truth:
    """The database after the quiet: `reads` is (room, user) → read position, for the members that there are."""

    rows: list[Row]
    last_seq: dict[int, int]
    reads: dict[tuple[int, int], int]

    def log(self, room: int) -> list[Row]:
        return sorted((row for row in self.rows if row.room == room), key=lambda row: row.seq)


@dataclass
class Witness:
    """One person's history, read once: operations by kind and number, what was told, the view at the end."""

    user: int
    records: list[Record]

    def __post_init__(self) -> None:
        self.invoked: dict[tuple[str, int], Record] = {}
        self.ended: dict[tuple[str, int], Record] = {}
        self.retried: Counter[tuple[str, int]] = Counter()
        self.view: Record | None = None
        for record in self.records:
            operation = (record.get("op", ""), record.get("n", 0))
            match record["what"]:
                case "invoke":
                    self.invoked[operation] = record
                case "ok" | "fail":
                    self.ended[operation] = record
                case "retry":
                    self.retried[operation] += 1
                case "view":
                    self.view = record

    def posts(self, what: str) -> list[Record]:
        """The posts that ended with `ok` or `fail`, or the `unanswered` ones, in the order of the outbox."""
        found = []
        for operation, invoked in self.invoked.items():
            if operation[0] == "post" and self.ended.get(operation, {"what": "unanswered"})["what"] == what:
                found.append(invoked | {"message": self.ended.get(operation, {}).get("message")})
        return sorted(found, key=lambda post: int(post["n"]))


def check(truth: Truth, witnesses: Iterable[Witness]) -> list[str]:
    witnesses = list(witnesses)
    found = [*dense_seqs(truth)]
    for one in witnesses:
        who = f"user {one.user}: "
        checks = (
            posts_are_stored,
            changes_are_stored,
            order_is_kept,
            view_is_the_database,
            told_is_true,
            nothing_leaks,
        )
        found += [who + sentence for each in checks for sentence in each(truth, one)]
    return found


def posts_are_stored(truth: Truth, one: Witness) -> Iterator[str]:
    by_text: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for row in truth.rows:
        if row.kind == "text":
            by_text[row.sender, row.first_text].append(row)
    for post in one.posts("ok"):
        rows = by_text[one.user, post["text"]]
        if len(rows) != 1:
            yield f"V1: {post['text']!r} was acknowledged and is stored {len(rows)} times"
        elif (rows[0].id, rows[0].seq, rows[0].nonce) != (post["message"]["id"], post["message"]["seq"], post["nonce"]):
            yield f"V1: {post['text']!r} was acknowledged as {post['message']} and is stored as {rows[0]}"
    for post in one.posts("unanswered"):
        if (count := len(by_text[one.user, post["text"]])) > 1:
            yield f"V4: {post['text']!r} was not answered and is stored {count} times"
    for post in one.posts("fail"):
        # Behind a refusal there may be an earlier try, unanswered, which was let in.
        most = 1 if one.retried["post", post["n"]] else 0
        if (count := len(by_text[one.user, post["text"]])) > most:
            yield f"V4: {post['text']!r} was refused and is stored {count} times"


def changes_are_stored(truth: Truth, one: Witness) -> Iterator[str]:
    rows = {row.id: row for row in truth.rows}
    for record in one.ended.values():
        if record["what"] != "ok":
            continue
        if record["op"] == "message.edit":
            row = rows.get(record["message"])
            if row is None or record["text"] not in (row.text, *row.versions.values()):
                yield f"V1: the edit {record['text']!r} was acknowledged and is not there: {row}"
        elif record["op"] == "message.delete":
            row = rows.get(record["message"])
            if row is None or not row.deleted or row.text:
                yield f"V1: the deletion of {record['message']} was acknowledged, and it is {row}"


def dense_seqs(truth: Truth) -> Iterator[str]:
    for room, last in truth.last_seq.items():
        used = [seq for row in truth.log(room) for seq in {row.seq, row.changed, *row.versions}]
        if sorted(used) != list(range(1, last + 1)):
            twice = [seq for seq, count in Counter(used).items() if count > 1]
            missing = set(range(1, last + 1)) - set(used)
            beyond = [seq for seq in used if seq > last]
            yield f"V2: room {room} up to {last} lacks {missing}, has {twice} twice, and {beyond} beyond"


def order_is_kept(truth: Truth, one: Witness) -> Iterator[str]:
    last: dict[int, Record] = {}
    for post in one.posts("ok"):
        before = last.get(post["room"])
        if before is not None and before["message"]["seq"] >= post["message"]["seq"]:
            yield f"V5: {before['text']!r} was written before {post['text']!r} and stands after it"
        last[post["room"]] = post


def view_is_the_database(truth: Truth, one: Witness) -> Iterator[str]:
    if one.view is None:
        yield "V6: has no view at the end"
        return
    rooms = {int(room): view for room, view in one.view["rooms"].items()}
    memberships = {room for room, user in truth.reads if user == one.user}
    if set(rooms) != memberships:
        yield f"V6: sees the rooms {sorted(rooms)} and is in {sorted(memberships)}"
    for room in set(rooms) & memberships:
        view = rooms[room]
        if view["cursor"] != truth.last_seq[room]:
            yield f"V6: is at {view['cursor']} of room {room}, which is at {truth.last_seq[room]}"
        if view["read"] != truth.reads[room, one.user]:
            yield f"V6: has read room {room} up to {view['read']}; the database says {truth.reads[room, one.user]}"
        yield from list_is_the_log(truth, room, view)


def list_is_the_log(truth: Truth, room: int, view: Record) -> Iterator[str]:
    log = {row.seq: shown(row) for row in truth.log(room) if row.seq >= view["oldest"]}
    listed = [shown_to(message) for message in view["messages"]]
    seqs = [each[0] for each in listed]
    if seqs != sorted(set(seqs)):
        yield f"V3: the list of room {room} is not in the log's order, or repeats: {seqs}"
    ids = Counter(each[1] for each in listed)
    if twice := [each for each, count in ids.items() if count > 1]:
        yield f"V3: the list of room {room} shows {twice} twice"
    if missing := set(log) - set(seqs):
        yield f"V3: the list of room {room} lacks {sorted(missing)}"
    for each in listed:
        if log.get(each[0]) != each:
            yield f"V6: in room {room} stands {each}; the database has {log.get(each[0])}"


def shown(row: Row) -> tuple[Any, ...]:
    return row.seq, row.id, row.changed, row.sender, row.kind, row.text, row.deleted


def shown_to(message: Record) -> tuple[Any, ...]:
    return (
        message["seq"],
        message["id"],
        message.get("changed", message["seq"]),
        message["sender"]["id"],
        message.get("kind", "text"),
        message["text"],
        message.get("deleted", False),
    )


def told_is_true(truth: Truth, one: Witness) -> Iterator[str]:
    """What was told live was committed: the message is there, and that seq was given to it."""
    rows = {row.id: row for row in truth.rows}
    for record in one.records:
        if record["what"] != "told" or record["event"] not in ("message.posted", "message.changed"):
            continue
        row = rows.get(record["message"]["id"])
        if row is None or record["seq"] not in (row.seq, row.changed, *row.versions):
            yield f"V3: was told {record}, which is not in the log: {row}"


def nothing_leaks(truth: Truth, one: Witness) -> Iterator[str]:
    """By the client's word: nothing of a room between leaving and joining. By the log's: nothing live whose seq was
    given while the person was not a member, until they are told that they are one again and may read it all."""
    outside: set[int] = set()
    member_at: dict[int, int] = {}  # room → the latest seq at which the person knows to be in it
    absences = {room: list(absent(truth.log(room), one.user)) for room in truth.last_seq}
    for record in one.records:
        event = record.get("event") if record["what"] == "told" else record["what"]
        if event == "connected":
            outside.clear()  # who was added meanwhile hears of it in the hello
            member_at.update({int(room): seq for room, seq in record["rooms"].items()})
        elif event == "room.left":
            outside.add(record["room"])
        elif event == "room.joined":
            outside.discard(record["room"]["id"])
            member_at[record["room"]["id"]] = record["room"]["seq"]
        elif event in ("message.posted", "message.changed", "typing", "room.sync"):
            room = record["room"] if event != "room.sync" else record["sync"]["room"]
            if is_coming_back(record.get("message", {}), one.user):
                outside.discard(room)
                member_at[room] = record["seq"]
            if room in outside:
                yield f"V7: was told {record} after leaving the room"
            seq = record.get("seq", 0)
            if any(start <= seq < end and member_at.get(room, 0) < end for start, end in absences.get(room, ())):
                yield f"V7: was told {record} of a time when they were not in the room"


def is_coming_back(message: Record, user: int) -> bool:
    """The line of the log that lets the user in again: the first that they are told."""
    kind = message.get("kind")
    return (kind == "joined" and message["sender"]["id"] == user) or (
        kind == "added" and message["data"]["user"]["id"] == user
    )


def absent(log: list[Row], user: int) -> Iterator[tuple[float, float]]:
    """The stretches of seqs [left, back again) in which the user was not in the room, by the room's own lines."""
    left: float | None = None
    for row in log:
        about = (row.data or {}).get("user", {}).get("id") if row.kind in ("added", "removed") else row.sender
        if about != user:
            continue
        if row.kind in ("left", "removed"):
            left = row.seq
        elif row.kind in ("joined", "added") and left is not None:
            yield left, row.seq
            left = None
    if left is not None:
        yield left, float("inf")
