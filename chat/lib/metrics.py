"""What the server counts and measures, for Prometheus: plain methods to tell it, one text to read it."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
# Seconds. From a reply out of memory to a person who has given up.
DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCHES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Count(Collector):
    """A number that only grows, looked up when the metrics are read."""

    def __init__(self, name: str, help: str, read: Callable[[], float]) -> None:
        self._name = name
        self._help = help
        self._read = read

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(self._name, self._help, value=self._read())


class Metrics:
    """One set for one server. Labels are routes, verbs and outcomes of ours, never what a client made up."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, help: str, *labels: str) -> Counter:
            return Counter(f"roomful_{name}", help, labels, registry=registry)

        def histogram(name: str, help: str, *labels: str, buckets: tuple[float, ...] = DURATIONS) -> Histogram:
            return Histogram(f"roomful_{name}", help, labels, buckets=buckets, registry=registry)

        self._requests = counter("requests", "HTTP requests answered.", "method", "route", "status")
        self._request_seconds = histogram("request_seconds", "From request to answer.", "route")
        self._commands = counter("commands", "Commands answered, by socket or HTTP.", "verb", "outcome")
        self._command_seconds = histogram("command_seconds", "From command to reply.", "verb")
        self._posts = counter("posts", "Messages stored.")
        self._batch_posts = histogram("journal_batch_posts", "Messages stored by one commit.", buckets=BATCHES)
        self._commit_seconds = histogram(
            "journal_commit_seconds", "From a batch's way to PostgreSQL until its commit is heard of."
        )
        self._closed = counter("connections_closed", "Connections that the server closed, by close code.", "code")
        self._sign_ins = counter("sign_ins", "Tries to sign in.", "outcome")
        self._loop_lag = histogram("loop_lag_seconds", "How late the event loop was.")
        # Looking a child up by its labels takes a lock and a tuple; what is told often keeps its own.
        self._answered: dict[tuple[str, str, int], Counter] = {}
        self._timed: dict[str, Histogram] = {}
        self._replied: dict[tuple[str, str], Counter] = {}
        self._replied_seconds: dict[str, Histogram] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One HTTP request was answered; `route` is a name from the routing table."""
        key = (method if method in METHODS else "other", route, status)
        answered = self._answered.get(key)
        if answered is None:
            answered = self._answered[key] = self._requests.labels(*key)
            self._timed.setdefault(route, self._request_seconds.labels(route))
        answered.inc()
        self._timed[route].observe(seconds)

    def command(self, verb: str, outcome: str, seconds: float) -> None:
        """One command was answered; `verb` from the table or "unknown", `outcome` "ok" or an error's code."""
        key = (verb, outcome)
        replied = self._replied.get(key)
        if replied is None:
            replied = self._replied[key] = self._commands.labels(*key)
            self._replied_seconds.setdefault(verb, self._command_seconds.labels(verb))
        replied.inc()
        self._replied_seconds[verb].observe(seconds)

    def commit(self, posts: int, seconds: float) -> None:
        """The journal stored `posts` messages with one commit."""
        self._posts.inc(posts)
        self._batch_posts.observe(posts)
        self._commit_seconds.observe(seconds)

    def closed(self, code: int) -> None:
        """The server closed a connection with this close code of `chat.errors`."""
        self._closed.labels(code).inc()

    def sign_in(self, outcome: str) -> None:
        """`outcome` is "ok", "wrong" or "limited"."""
        self._sign_ins.labels(outcome).inc()

    def loop_lag(self, seconds: float) -> None:
        self._loop_lag.observe(seconds)

    def watch(self, name: str, help: str, read: Callable[[], float]) -> None:
        """A number that is looked up when the metrics are read, such as the open connections."""
        Gauge(f"roomful_{name}", help, registry=self.registry).set_function(read)

    def watch_count(self, name: str, help: str, read: Callable[[], float]) -> None:
        """The same for a number that only grows, which its owner counts without us because it is counted so often."""
        self.registry.register(Count(f"roomful_{name}", help, read))

    def text(self) -> bytes:
        """All of it, in Prometheus's text format (CONTENT_TYPE)."""
        return generate_latest(self.registry)
