"""The loads as data: how many connections, rooms and senders, which figure counts, and the goals."""

from dataclasses import dataclass, replace
from typing import Literal

ROOMFUL = "Roomful"
STORES_NOTHING = "Socket.IO, stores nothing"
INSERTS = "Socket.IO, INSERT then emit"
ALL = (ROOMFUL, STORES_NOTHING, INSERTS)
SEVERAL = tuple(f"Roomful, Redis, nginx: {count}" for count in ("one", "two", "three"))

# wsload: the load generator. The others are programs of this package, for what it cannot do.
Program = Literal["wsload", "storm", "growth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What Roomful's median of a figure should be, or its ratio to that of a peer in the same run."""

    figure: str
    at_least: float | None = None
    at_most: float | None = None
    against: str | None = None
    aim: bool = False  # on the way to it: missing it is no failure yet

    @property
    def text(self) -> str:
        sign, value = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{self.figure} {sign} {value:g}" + (f" × {self.against}" if self.against else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Connection i is in room i % rooms; the first `senders` connections send.

    `rate` is messages a second over all senders (open loop); without it each sender keeps `window` messages on their
    way (closed loop). `shown` are the figures in the table, the first one in the plot.
    """

    name: str
    title: str
    shown: tuple[str, ...]
    goals: tuple[Goal, ...] = ()
    contenders: tuple[str, ...] = ALL
    program: Program = "wsload"
    connections: int = 1000
    rooms: int = 1
    senders: int = 0
    window: int = 1
    rate: float = 0
    seconds: float = 5
    connect_rate: int = 2000
    typing: bool = False  # the senders also say every second that they type
    sizes: tuple[int, ...] = ()  # messages in the database, for `growth`

    @property
    def settle(self) -> float:
        """Seconds from the last connection until everybody has been told of everybody's presence."""
        return 2 + self.connections / 500

    def quick(self) -> "Load":
        """The same in a few seconds, to see that it works; its figures say nothing."""
        few = min(self.connections, 40)
        return replace(
            self,
            connections=few,
            rooms=min(self.rooms, 8),
            senders=min(self.senders, 8),
            seconds=1,
            sizes=(10_000, 20_000) if self.sizes else (),
        )


LOADS = (
    Load(
        name="one-room",
        title="One room of 1,000 connections, 10 senders × 2 outstanding",
        shown=("delivered_per_s", "p50_ms", "p99_ms"),
        senders=10,
        window=2,
        goals=(Goal(figure="delivered_per_s", at_least=10, against=STORES_NOTHING),),
    ),
    Load(
        name="rooms",
        title="200 rooms of 5, 200 senders × 1 outstanding",
        shown=("sent_per_s", "p50_ms", "p99_ms"),
        rooms=200,
        senders=200,
        goals=(
            Goal(figure="sent_per_s", at_least=2, against=INSERTS),
            Goal(figure="sent_per_s", at_least=1, against=STORES_NOTHING, aim=True),
        ),
    ),
    Load(
        name="rooms-saturated",
        title="200 rooms of 5, 1,000 senders × 2 outstanding",
        shown=("sent_per_s", "p50_ms", "p99_ms"),
        rooms=200,
        senders=1000,
        window=2,
        goals=(
            Goal(figure="sent_per_s", at_least=2.5, against=INSERTS),
            Goal(figure="sent_per_s", at_least=1, against=STORES_NOTHING),
        ),
    ),
    Load(
        name="processes",
        title="200 rooms of 5, 200 senders × 1: one, two and three processes on one core",
        shown=("sent_per_s", "p50_ms", "p99_ms"),
        contenders=(ROOMFUL, *SEVERAL),
        rooms=200,
        senders=200,
    ),
    Load(
        name="steady",
        title="Steady 20 messages a second into one room of 1,000 connections",
        shown=("p99_ms", "p50_ms", "max_ms"),
        senders=20,
        rate=20,
        seconds=20,
        goals=(
            Goal(figure="p99_ms", at_most=1, against=STORES_NOTHING),
            Goal(figure="p99_ms", at_most=25),
        ),
    ),
    Load(
        name="quiet",
        title="One sender on a quiet server: from post to own acknowledgement",
        shown=("p50_ms", "over_commit_ms", "commit_ms", "p99_ms"),
        connections=1,
        senders=1,
        goals=(Goal(figure="over_commit_ms", at_most=3),),
    ),
    Load(
        name="idle-1000",
        title="1,000 idle connections held, presence on",
        shown=("rss_kb_per_conn", "server_rss_mb"),
        contenders=(ROOMFUL, STORES_NOTHING),
        seconds=1,
        connect_rate=500,
        goals=(Goal(figure="rss_kb_per_conn", at_most=20),),
    ),
    Load(
        name="idle-10000",
        title="10,000 idle connections held, presence on",
        shown=("rss_kb_per_conn", "server_rss_mb"),
        contenders=(ROOMFUL, STORES_NOTHING),
        connections=10_000,
        rooms=200,
        seconds=1,
        connect_rate=500,
        goals=(Goal(figure="rss_kb_per_conn", at_most=20),),
    ),
    Load(
        name="storm",
        title="10,000 connections in 200 rooms, all cut at once and back",
        shown=("all_resumed_s", "half_resumed_s", "post_p99_ms", "peak_rss_mb", "failed_tries", "put_off"),
        contenders=(ROOMFUL,),
        program="storm",
        connections=10_000,
        rooms=200,
        senders=20,
        rate=20,
        connect_rate=500,
        goals=(
            Goal(figure="all_resumed_s", at_most=30),
            Goal(figure="peak_rss_mb", at_most=600),
            Goal(figure="post_p99_ms", at_most=1000),
        ),
    ),
    Load(
        name="reconnect",
        title="One room of 2,000 members, presence and typing on, all cut at once and back",
        shown=(
            "return_bytes",
            "of_hello",
            "of_resume",
            "of_presence",
            "of_typing",
            "of_messages",
            "arrival_bytes",
            "all_resumed_s",
        ),
        contenders=(ROOMFUL,),
        program="storm",
        connections=2000,
        senders=10,
        rate=10,
        connect_rate=1000,
        typing=True,
    ),
    Load(
        name="growth",
        title="Cost as the database grows, 10 thousand to 5 million messages",
        shown=("open_room_ratio", "page_history_ratio", "unread_list_ratio", "post_ratio"),
        contenders=(ROOMFUL,),
        program="growth",
        sizes=(10_000, 100_000, 1_000_000, 5_000_000),
        goals=tuple(
            Goal(figure=f"{each}_ratio", at_most=1.5) for each in ("open_room", "page_history", "unread_list", "post")
        ),
    ),
)
