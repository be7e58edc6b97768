"""What every door needs, built once in app.py and handed to each: there is no global state."""

import asyncio
from dataclasses import dataclass

from chat.actions.greeting import Greeter
from chat.actions.journal import Journal
from chat.actions.returning import Returns
from chat.config import Settings
from chat.handlers.guard import Guard
from chat.hub.hub import Hub
from chat.hub.presence import PresenceBoard
from chat.hub.typing import TypingNotices
from chat.lib.db import Database
from chat.lib.limits import Limit
from chat.lib.metrics import Metrics
from chat.lib.passwords import Passwords
from chat.lib.signing import Signer


@dataclass(slots=True)
class Limits:
    """Every bucket that the doors take from, sized by the settings."""

    messages: Limit  # per user
    commands: Limit  # per connection
    refusals: Limit  # per connection: who goes on after being refused is closed
    requests: Limit  # per address
    sign_in: Limit  # per (name, address)
    sign_in_name: Limit  # per name
    sign_in_address: Limit  # per address


@dataclass(slots=True)
class Services:
    settings: Settings
    db: Database
    hub: Hub
    journal: Journal
    greeter: Greeter
    returns: Returns
    catching_up: asyncio.Semaphore  # a thousand who lack more than a page wait here instead of being told "busy"
    presence: PresenceBoard
    typing: TypingNotices
    limits: Limits
    signer: Signer
    passwords: Passwords
    guard: Guard
    metrics: Metrics
    stopping: bool = False
