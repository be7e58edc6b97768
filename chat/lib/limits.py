"""Token buckets: so many at once, so many over time, per key; with an injected clock so that tests never wait."""

import time
from collections.abc import Callable, Hashable


class Limit:
    """`burst` at once, refilled at `rate` per second, for each key. Forgets keys whose bucket is full again.

    What costs more than `burst` takes the whole bucket: it must be possible at some time.
    """

    def __init__(self, *, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._spent: dict[Hashable, tuple[float, float]] = {}
        # Called with what was taken, or given back (below 0), where other processes must know of it.
        self.on_take: Callable[[Hashable, float], None] | None = None
        self._sweep_at = 1024

    def take(self, key: Hashable, cost: float = 1.0) -> float:
        """0 when allowed, and the cost is taken; else the seconds until it would be, and nothing is taken."""
        cost = min(cost, self.burst)
        now = self._clock()
        spent, since = self._spent.get(key, (0.0, now))
        spent = max(0.0, spent - (now - since) * self.rate)
        if spent + cost > self.burst:
            return (spent + cost - self.burst) / self.rate
        self._spent[key] = (spent + cost, now)
        if self.on_take is not None:
            self.on_take(key, cost)
        if len(self._spent) >= self._sweep_at:
            self._forget_rested(now)
        return 0.0

    def spend(self, key: Hashable, cost: float) -> None:
        """It was taken in another process, allowed or not; or given back there, below 0."""
        now = self._clock()
        spent, since = self._spent.get(key, (0.0, now))
        self._spent[key] = (min(self.burst, max(0.0, max(0.0, spent - (now - since) * self.rate) + cost)), now)
        if len(self._spent) >= self._sweep_at:
            self._forget_rested(now)

    def wait(self, key: Hashable, cost: float = 1.0) -> float:
        """The seconds until `cost` would be allowed, 0 for now; takes nothing."""
        spent, since = self._spent.get(key, (0.0, 0.0))
        spent = max(0.0, spent - (self._clock() - since) * self.rate)
        return max(0.0, (spent + min(cost, self.burst) - self.burst) / self.rate)

    def give_back(self, key: Hashable, cost: float = 1.0) -> None:
        """What was taken turned out not to count."""
        if key in self._spent:
            spent, since = self._spent[key]
            self._spent[key] = (max(0.0, spent - cost), since)
        if self.on_take is not None:
            self.on_take(key, -cost)

    def forget(self, key: Hashable) -> None:
        """The key will not come again."""
        self._spent.pop(key, None)

    def __len__(self) -> int:
        return len(self._spent)

    def _forget_rested(self, now: float) -> None:
        rested = [key for key, (spent, since) in self._spent.items() if spent <= (now - since) * self.rate]
        for key in rested:
            del self._spent[key]
        self._sweep_at = max(1024, len(self._spent) * 2)
