"""What several processes on one database do by the clock: say that they live, and look for what they did not hear."""

from chat.actions.healing import Healer
from chat.actions.reconciling import look_for_news, reconcile
from chat.hub.bridge import ALIVE_SECONDS, Bridge
from chat.hub.hub import Hub
from chat.jobs.clock import Job
from chat.lib.bus import Bus
from chat.lib.db import Database

# A hint that got lost is made up for within a second; without Redis everything is looked up, twice a second.
NEWS_SECONDS = 0.8
WITHOUT_REDIS_SECONDS = 0.5
# Whatever else went wrong in a hint ends here.
RECONCILE_SECONDS = 60.0


def sharing_jobs(db: Database, hub: Hub, healer: Healer, bridge: Bridge, bus: Bus) -> list[Job]:
    was_up = False

    async def news() -> None:
        if bus.is_up:
            await look_for_news(db, hub, healer)

    async def without_redis() -> None:
        """Also once when the line is back: what was said while it came up reached nobody."""
        nonlocal was_up
        if not (bus.is_up and was_up):
            was_up = bus.is_up
            await reconcile(db, hub, healer)

    async def everything() -> None:
        await reconcile(db, hub, healer)

    return [
        Job("saying that this process lives", ALIVE_SECONDS, bridge.keep_alive),
        Job("looking for news", NEWS_SECONDS, news),
        Job("looking for everything without Redis", WITHOUT_REDIS_SECONDS, without_redis),
        Job("reconciling", RECONCILE_SECONDS, everything),
    ]
