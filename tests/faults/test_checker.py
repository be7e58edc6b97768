"""The checker finds what it is there to find: histories of a small chat, and the same with one thing wrong."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.checker import Row, Truth, Witness, check

ADA, BOB = 1, 2
ROOM, CLUB = 7, 8
Records = dict[int, list[dict[str, Any]]]


def message(id: int, seq: int, sender: int, text: str, room: int = ROOM, **more: Any) -> dict[str, Any]:
    return {"id": id, "room": room, "seq": seq, "sender": {"id": sender}, "text": text, **more}


def post(n: int, text: str, stored: dict[str, Any] | None) -> list[dict[str, Any]]:
    records = [{"what": "invoke", "op": "post", "n": n, "room": ROOM, "nonce": f"nonce {n}", "text": text}]
    if stored is not None:
        records.append({"what": "ok", "op": "post", "n": n, "nonce": f"nonce {n}", "message": stored})
    return records


def told(event: str, message: dict[str, Any], seq: int) -> dict[str, Any]:
    return {"what": "told", "event": event, "room": message["room"], "seq": seq, "message": message}


FIRST = message(11, 2, ADA, "first")
SECOND = message(12, 3, ADA, "second")
SECOND_EDITED = message(12, 3, ADA, "second, edited", changed=4)
JOINED = message(10, 1, BOB, "", kind="joined")
REMOVED = message(20, 1, ADA, "", CLUB, kind="removed", data={"user": {"id": BOB}})
SECRET = message(21, 2, ADA, "secret", CLUB)


def view(user: int, *rooms: int) -> dict[str, Any]:
    seen = {
        ROOM: {"oldest": 0, "cursor": 4, "read": 2, "messages": [JOINED, FIRST, SECOND_EDITED]},
        CLUB: {"oldest": 0, "cursor": 2, "read": 0, "messages": [REMOVED, SECRET]},
    }
    return {"what": "view", "user": user, "rooms": {str(room): copy.deepcopy(seen[room]) for room in rooms}}


def small_chat() -> tuple[Truth, Records]:
    """Ada posts twice, edits, and an answer of hers is lost; Bob listens, and was removed from the club."""
    rows = [
        Row(10, ROOM, 1, 1, BOB, "joined", ""),
        Row(11, ROOM, 2, 2, ADA, "text", "first", "nonce 1"),
        Row(12, ROOM, 3, 4, ADA, "text", "second, edited", "nonce 2", versions={4: "second"}),
        Row(20, CLUB, 1, 1, ADA, "removed", "", data={"user": {"id": BOB}}),
        Row(21, CLUB, 2, 2, ADA, "text", "secret", "nonce 9"),
    ]
    truth = Truth(rows, {ROOM: 4, CLUB: 2}, {(ROOM, ADA): 2, (ROOM, BOB): 2, (CLUB, ADA): 0})
    ada = [
        *post(1, "first", FIRST),
        *post(2, "second", SECOND),
        {"what": "invoke", "op": "message.edit", "n": 1, "message": 12, "text": "second, edited"},
        {"what": "ok", "op": "message.edit", "n": 1, "message": 12, "text": "second, edited"},
        *post(3, "never answered", None),
        view(ADA, ROOM, CLUB),
    ]
    bob = [
        {"what": "connected", "epoch": "e", "rooms": {"7": 1, "8": 0}},
        told("message.posted", FIRST, 2),
        told("message.posted", SECOND, 3),
        {"what": "told", "event": "room.left", "room": CLUB, "reason": "removed"},
        told("message.changed", SECOND_EDITED, 4),
        view(BOB, ROOM),
    ]
    return truth, {ADA: ada, BOB: bob}


def findings(truth: Truth, records: Records) -> list[str]:
    return check(truth, [Witness(user, written) for user, written in records.items()])


def listed(records: Records, user: int) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = records[user][-1]["rooms"][str(ROOM)]["messages"]
    return messages


def test_a_chat_without_faults_has_no_findings() -> None:
    assert findings(*small_chat()) == []


def lose_a_message(truth: Truth, records: Records) -> None:
    truth.rows = [row for row in truth.rows if row.id != 11]


def store_twice(truth: Truth, records: Records) -> None:
    truth.rows.append(Row(13, ROOM, 5, 5, ADA, "text", "first", "another nonce"))


def store_an_unanswered_one_twice(truth: Truth, records: Records) -> None:
    truth.rows += [Row(13 + n, ROOM, 5 + n, 5 + n, ADA, "text", "never answered", f"nonce {n}") for n in range(2)]


def store_a_refused_one(truth: Truth, records: Records) -> None:
    truth.rows.append(Row(13, ROOM, 5, 5, ADA, "text", "never answered", "nonce 3"))
    records[ADA].insert(0, {"what": "fail", "op": "post", "n": 3, "code": "not_found"})


def lose_an_edit(truth: Truth, records: Records) -> None:
    truth.rows[2].text, truth.rows[2].versions = "second", {}


def revive_a_deleted_one(truth: Truth, records: Records) -> None:
    records[ADA].insert(0, {"what": "ok", "op": "message.delete", "n": 2, "message": 11})


def leave_a_hole(truth: Truth, records: Records) -> None:
    truth.last_seq[ROOM] = 5


def use_a_seq_twice(truth: Truth, records: Records) -> None:
    truth.rows[1].seq = truth.rows[1].changed = 3


def reverse_an_author(truth: Truth, records: Records) -> None:
    records[ADA][0]["n"], records[ADA][1]["n"] = 5, 5


def hide_from_a_view(truth: Truth, records: Records) -> None:
    del listed(records, BOB)[1]


def show_twice(truth: Truth, records: Records) -> None:
    listed(records, BOB).insert(1, FIRST)


def show_in_another_order(truth: Truth, records: Records) -> None:
    listed(records, BOB).reverse()


def keep_an_old_text(truth: Truth, records: Records) -> None:
    listed(records, BOB)[2] = SECOND


def forget_a_read_position(truth: Truth, records: Records) -> None:
    records[BOB][-1]["rooms"][str(ROOM)]["read"] = 1


def stop_early(truth: Truth, records: Records) -> None:
    records[BOB][-1]["rooms"][str(ROOM)]["cursor"] = 3


def miss_a_room(truth: Truth, records: Records) -> None:
    truth.reads[CLUB, BOB] = 0


def tell_what_was_rolled_back(truth: Truth, records: Records) -> None:
    records[BOB].insert(1, told("message.posted", message(99, 5, ADA, "never committed"), 5))


def tell_after_leaving(truth: Truth, records: Records) -> None:
    truth.rows[3].kind = "renamed"  # as if the log knew nothing of it: the client's own word must be enough
    records[BOB].insert(-1, told("message.posted", SECRET, 2))


def tell_who_was_removed(truth: Truth, records: Records) -> None:
    records[BOB].insert(1, told("message.posted", SECRET, 2))  # before the client heard of its removal


def end_without_a_view(truth: Truth, records: Records) -> None:
    del records[BOB][-1]


@pytest.mark.parametrize(
    ("spoil", "promise"),
    [
        (lose_a_message, "V1"),
        (store_twice, "V1"),
        (lose_an_edit, "V1"),
        (revive_a_deleted_one, "V1"),
        (leave_a_hole, "V2"),
        (use_a_seq_twice, "V2"),
        (show_twice, "V3"),
        (show_in_another_order, "V3"),
        (hide_from_a_view, "V3"),
        (tell_what_was_rolled_back, "V3"),
        (store_an_unanswered_one_twice, "V4"),
        (store_a_refused_one, "V4"),
        (reverse_an_author, "V5"),
        (keep_an_old_text, "V6"),
        (forget_a_read_position, "V6"),
        (stop_early, "V6"),
        (miss_a_room, "V6"),
        (end_without_a_view, "V6"),
        (tell_after_leaving, "V7"),
        (tell_who_was_removed, "V7"),
    ],
)
def test_the_checker_sees_what_is_wrong(spoil: Callable[[Truth, Records], None], promise: str) -> None:
    truth, records = small_chat()
    spoil(truth, records)
    assert any(promise in finding for finding in findings(truth, records)), findings(truth, records)
