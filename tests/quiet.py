"""A test fails on log lines at WARNING or above that it did not announce: whoever runs a server reads those."""

import logging
import re
from collections.abc import Iterator

import pytest

from chat.lib import tracebacks


class Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{record.levelname} {record.name}: {record.getMessage()}"
        if record.exc_info and record.exc_info[1]:
            line += "\n" + "\n".join(tracebacks.trace(record.exc_info[1]))
        self.lines.append(line)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "logs(*patterns): each of these lines must be logged at WARNING or above")
    config.addinivalue_line("markers", "may_log(*patterns): each of these lines may be logged as well")


@pytest.fixture(autouse=True)
def no_unexpected_log_lines(request: pytest.FixtureRequest) -> Iterator[None]:
    listener = Listener()
    logging.getLogger().addHandler(listener)
    yield
    logging.getLogger().removeHandler(listener)
    expected = [pattern for marker in request.node.iter_markers("logs") for pattern in marker.args]
    allowed = [pattern for marker in request.node.iter_markers("may_log") for pattern in marker.args]
    unexpected = [line for line in listener.lines if not any(re.search(each, line) for each in expected + allowed)]
    assert not unexpected, "logged, and not announced by @pytest.mark.logs:\n" + "\n".join(unexpected)
    missing = [pattern for pattern in expected if not any(re.search(pattern, line) for line in listener.lines)]
    assert not missing, f"announced, and not logged: {missing}"
