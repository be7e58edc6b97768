"""Who else is there: what each other process said last, and when; so that what got lost on the way is noticed."""

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Voice:
    number: int
    heard_at: float


class Roll:
    """Every process numbers what it says: 1, 2, 3, … Times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self._voices: dict[str, Voice] = {}

    def hear(self, process: str, number: int, now: float) -> Literal["next", "old", "gap", "new"]:
        """`gap`: something before it got lost. `old`: it comes too late, or again. `new`: what the
        process said before now we have not heard."""
        voice = self._voices.get(process)
        if voice is None:
            self._voices[process] = Voice(number, now)
            return "next" if number == 1 else "new"
        voice.heard_at = now
        if number <= voice.number:
            return "old"
        follows = number == voice.number + 1
        voice.number = number
        return "next" if follows else "gap"

    def silent(self, since: float) -> list[str]:
        """Who has said nothing after that moment."""
        return [process for process, voice in self._voices.items() if voice.heard_at <= since]

    def excuse(self, now: float) -> None:
        """Nobody could be heard until now: their silence does not count."""
        for voice in self._voices.values():
            voice.heard_at = now

    def strike(self, process: str) -> None:
        """The process has ended."""
        self._voices.pop(process, None)
