"""What waits for a commit: each posting is taken once, in its room's order, and no room by two batches."""

import datetime
import uuid

from hypothesis import given
from hypothesis import strategies as st

from chat.actions.waitlist import Waiting, Waitlist
from chat.models.posting import Posting
from chat.models.sessions import SignedIn

ACTOR = SignedIn(
    session=1,
    user=1,
    username="ada",
    name="Ada",
    role="member",
    last_seen_at=datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC),
    stale=False,
)


def posting(room: int, number: int = 0) -> Waiting:
    return Waiting(Posting(room, ACTOR.user, uuid.uuid4(), str(number)), ACTOR)


def rooms_of(batch: list[Waiting]) -> list[int]:
    return [each.posting.room for each in batch]


def test_two_batches_have_no_room_in_common() -> None:
    waiting = Waitlist()
    for room in (1, 2, 1, 3):
        waiting.add(posting(room))
    first = waiting.take(2)
    assert rooms_of(first) == [1, 1]
    waiting.add(posting(1))
    assert rooms_of(waiting.take(10)) == [2, 3]
    assert waiting.take(10) == []
    waiting.release(first)
    assert rooms_of(waiting.take(10)) == [1]
    assert len(waiting) == 0


def test_a_room_of_which_a_batch_took_a_part_waits_behind_the_others() -> None:
    waiting = Waitlist()
    for room in (1, 1, 1, 2):
        waiting.add(posting(room))
    first = waiting.take(2)
    waiting.release(first)
    assert rooms_of(waiting.take(10)) == [2, 1]


def test_what_waits_is_found_by_sender_and_nonce_until_it_is_taken() -> None:
    waiting, one = Waitlist(), posting(1)
    waiting.add(one)
    assert waiting.find(*one.key) is one
    assert waiting.find(2, one.posting.nonce) is None
    waiting.take(1)
    assert waiting.find(*one.key) is None


def test_who_waits_behind_a_busy_room_is_there_to_be_told_when_all_ends() -> None:
    waiting = Waitlist()
    waiting.add(posting(1))
    waiting.take(10)
    waiting.add(later := posting(1))
    assert waiting.take(10) == []
    assert waiting.clear() == [later]
    assert len(waiting) == 0
    assert waiting.clear() == []


@given(
    st.lists(
        st.one_of(st.integers(1, 5), st.tuples(st.just("take"), st.integers(1, 6)), st.just("release")), max_size=60
    )
)
def test_whatever_happens_each_is_taken_once_and_in_order(steps: list[int | tuple[str, int] | str]) -> None:
    waiting, running, done = Waitlist(), list[list[Waiting]](), list[Waiting]()
    added = 0
    for step in [*steps, *["release", ("take", 1000)] * (len(steps) + 1)]:
        if isinstance(step, int):
            waiting.add(posting(step, added))
            added += 1
        elif isinstance(step, tuple):
            if batch := waiting.take(step[1]):
                assert len(batch) <= step[1]
                assert not {room for other in running for room in rooms_of(other)} & set(rooms_of(batch))
                running.append(batch)
                done += batch
        elif running:
            waiting.release(running.pop(0))
    assert len(done) == added
    assert len(waiting) == 0
    for room in range(1, 6):
        numbers = [int(each.posting.text) for each in done if each.posting.room == room]
        assert numbers == sorted(numbers)
