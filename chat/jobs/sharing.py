"""What several processes on one database do by the clock: look for what they did not hear of each other."""

from typing import TYPE_CHECKING

from chat.actions.healing import Healer
from chat.actions.reconciling import Reconciler, look_for_news
from chat.hub.hub import Hub
from chat.jobs.clock import Job
from chat.lib.db import Database

if TYPE_CHECKING:  # needs the extra `redis`, which others do not install
    from chat.lib.bus import Bus

# Messages that nobody told us of are found within a second, whatever Redis says of itself.
NEWS_SECONDS = 0.8
# While hints may be lost everything is looked up, twice a second.
DOUBT_SECONDS = 0.5
# Whatever else went wrong in a hint ends here: 10 ms of work for a thousand connections.
RECONCILE_SECONDS = 20.0


def sharing_jobs(db: Database, hub: Hub, healer: Healer, bus: "Bus") -> list[Job]:
    reconciler = Reconciler(db, hub, healer)
    settled = 0

    async def news() -> None:
        await look_for_news(db, hub, healer)

    async def in_doubt() -> None:
        nonlocal settled
        losses = bus.losses
        if losses != settled or not bus.is_sure:
            await reconciler.reconcile(after_loss=True)
            settled = losses

    async def everything() -> None:
        await reconciler.reconcile(after_loss=False)

    return [
        Job("looking for news", NEWS_SECONDS, news),
        Job("looking for what was not heard", DOUBT_SECONDS, in_doubt),
        Job("reconciling", RECONCILE_SECONDS, everything),
    ]
