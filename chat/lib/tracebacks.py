"""Tracebacks that can be logged: where it happened and what went wrong, without the data it happened to."""

import traceback

# A database error quotes what it was given: parameters, rows, the text of a message. Its name, its code and
# the statement's place in the program say enough.
QUOTING_MODULES = ("asyncpg", "sqlalchemy")
LONGEST_SENTENCE = 500  # characters
DEEPEST = 5  # errors behind an error, or inside a group


def describe(error: BaseException) -> str:
    """One line: the error's type and what it says, shortened to what is safe to keep."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__.partition(".")[0] in QUOTING_MODULES:
        said = _unquoted(error)
    else:
        said = str(error)[:LONGEST_SENTENCE]
    return f"{name}: {said}" if said else name


def trace(error: BaseException) -> list[str]:
    """Lines as Python prints them, oldest cause first; none carries what a database error quotes."""
    return _trace(error, DEEPEST, set())


def _unquoted(error: BaseException) -> str:
    """`duplicate key value violates unique constraint "x"` without the DETAIL that follows it."""
    state = getattr(error, "sqlstate", None)
    said = str(error).partition("\n")[0].partition(": ")[0][:LONGEST_SENTENCE]
    return f"{said} ({state})" if state else said


def _trace(error: BaseException, depth: int, seen: set[int]) -> list[str]:
    if depth == 0 or id(error) in seen:
        return ["..."]
    seen.add(id(error))
    lines: list[str] = []
    if error.__cause__ is not None:
        lines += [*_trace(error.__cause__, depth - 1, seen), "", "which led to:", ""]
    elif error.__context__ is not None and not error.__suppress_context__:
        lines += [*_trace(error.__context__, depth - 1, seen), "", "and while that was handled:", ""]
    if error.__traceback__ is not None:
        lines.append("Traceback (most recent call last):")
        for entry in traceback.format_tb(error.__traceback__):
            lines += entry.rstrip("\n").split("\n")
    lines += describe(error).split("\n")
    if isinstance(error, BaseExceptionGroup):
        for number, inner in enumerate(error.exceptions, 1):
            lines.append(f"  error {number} of {len(error.exceptions)}:")
            lines += [f"    {line}" for line in _trace(inner, depth - 1, seen)]
    return lines
