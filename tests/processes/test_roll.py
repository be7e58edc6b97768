"""Who else is there, by the numbers of what they said."""

from chat.lib.roll import Roll


def test_a_gap_a_repeat_and_a_stranger_are_told_apart() -> None:
    roll = Roll()
    assert roll.hear("a", 1, 0.0) == "next"
    assert roll.hear("a", 2, 0.0) == "next"
    assert roll.hear("a", 5, 0.0) == "gap"
    assert roll.hear("a", 4, 0.0) == "old"
    assert roll.hear("a", 5, 0.0) == "old"
    assert roll.hear("a", 6, 0.0) == "next"
    assert roll.hear("b", 7, 0.0) == "new"


def test_silence_is_counted_from_the_last_word_or_the_excuse() -> None:
    roll = Roll()
    roll.hear("a", 1, 10.0)
    roll.hear("b", 1, 12.0)
    assert roll.silent(since=11.0) == ["a"]
    roll.excuse(13.0)
    assert roll.silent(since=12.5) == []
    roll.strike("a")
    assert roll.silent(since=20.0) == ["b"]
