"""The listening socket: everybody gets in, so many at a turn."""

import socket
from contextlib import ExitStack

from chat.lib.doorway import AT_ONCE, Doorway


def let_in(door: Doorway, stack: ExitStack) -> int:
    """How many until the door seems empty."""
    for count in range(1000):
        try:
            stack.enter_context(door.accept()[0])
        except BlockingIOError:
            return count
    raise AssertionError("it never seems empty")


def test_so_many_are_let_in_at_a_turn_and_nobody_is_forgotten() -> None:
    with ExitStack() as stack:
        door = stack.enter_context(Doorway(socket.create_server(("127.0.0.1", 0), backlog=100)))
        for _ in range(2 * AT_ONCE + 5):
            stack.enter_context(socket.create_connection(door.getsockname()))
        assert [let_in(door, stack) for _ in range(4)] == [AT_ONCE, AT_ONCE, 5, 0]
        for _ in range(3):
            stack.enter_context(socket.create_connection(door.getsockname()))
        assert [let_in(door, stack) for _ in range(2)] == [3, 0]
