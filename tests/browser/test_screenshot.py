"""The pictures of the README: a workspace as it looks after a working day. ROOMFUL_SCREENSHOTS=1 puts them in docs/."""

import os
import struct
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import CHECKOUT, Open
from tests.conftest import World
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CAST = {
    "nora": "Nora Lindqvist",
    "samir": "Samir Haddad",
    "yijun": "陳怡君",
    "tomas": "Tomás Ribeiro",
    "ines": "Inês Okafor",
    "piet": "Piet van Dam",
}
TOPIC = "Readings, sensors and the curve for Saturday"
TALK = [
    ("nora", "Morning! The new pressure gauge is in the water since 06:10. First reading: 1.32 m.", 0),
    ("samir", "It answers on http://10.0.0.7/status, every ten seconds 🎉", 3),
    ("samir", "Battery says 4.08 V. That should carry us through the week.", 1),
    ("yijun", "Looks good. 曲線很平滑: the curve is smooth, and high water at 11:47 fits the table to the minute.", 9),
    ("tomas", "I am at the quay. Do we want the second one at the lock, or at the bridge?", 14),
    ("nora", "The lock, please. At the bridge the ferries push the water about:\n· 09:20\n· 10:05\n· 10:50", 2),
    ("tomas", "Clear. Lock it is.", 1),
    ("ines", "Then I take the boat at ten and check the cable on the way. Anybody for coffee afterwards?", 12),
    ("yijun", "👍", 1),
]
DIRECT = [
    ("samir", "Did the spare battery turn up?"),
    ("nora", "On the shelf behind the door. Red lid."),
]
SIDE_ROOMS = {"harbour": ("piet", "Crane is free from two."), "library": None, "weekend": ("ines", "Soup or pancakes?")}


async def tideline(world: World) -> tuple[dict[str, Person], int]:
    people = {
        username: await world.person(username, "owner" if username == "nora" else "member", name)
        for username, name in CAST.items()
    }
    nora, *others = people.values()
    await nora.api("PATCH", "/workspace", {"name": "Tideline"})
    await world.room(nora, "general", *others)
    room = await world.room(nora, "tide-gauge", *others)
    await nora.api("PATCH", f"/rooms/{room}", {"topic": TOPIC})
    for username, text, _ in TALK:
        await post(people[username], room, text)
    direct = (await people["samir"].api("POST", "/rooms/direct", {"user": nora.id}))["room"]["id"]
    for username, text in DIRECT:
        await post(people[username], direct, text)
    another = (await people["yijun"].api("POST", "/rooms/direct", {"user": nora.id}))["room"]["id"]
    await post(people["yijun"], another, "Curve attached in the report.")
    for name, said in SIDE_ROOMS.items():
        side = await world.room(nora, name, *others, kind="private" if name == "library" else "public")
        if said is not None:
            await post(people[said[0]], side, said[1])
    newest = await world.last_seq(room)
    await nora.api("POST", f"/rooms/{room}/read", {"seq": newest - 2})
    await people["samir"].api("POST", f"/rooms/{room}/read", {"seq": newest})
    await set_clock(world, room)
    return people, room


async def post(person: Person, room: int, text: str) -> dict[str, Any]:
    """By HTTP, which leaves nobody online."""
    return await person.api("POST", f"/rooms/{room}/messages", {"nonce": str(uuid.uuid4()), "text": text})


async def set_clock(world: World, room: int) -> None:
    """The talk was this morning, the room older."""
    async with world.server.db.transaction() as tx:
        await tx.db.exec_driver_sql("UPDATE messages SET at = date_trunc('day', now()) - interval '15 hours'")
        minutes = 0
        for _, text, later in TALK:
            minutes += later
            await tx.db.exec_driver_sql(
                f"UPDATE messages SET at = date_trunc('day', now()) + interval '{8 * 60 + 12 + minutes} minutes'"
                " WHERE room_id = $1 AND text = $2",
                (room, text),
            )


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG, in pixels."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height


async def test_the_pictures_of_the_readme_are_made(world: World, open_as: Open, tmp_path: Path) -> None:
    people, room = await tideline(world)
    asked = os.environ.get("ROOMFUL_SCREENSHOTS") == "1"
    folder = CHECKOUT / "docs" / "images" if asked else tmp_path
    folder.mkdir(exist_ok=True)
    nora = people["nora"]
    async with people["yijun"].socket(), people["ines"].socket() as at_ines, people["tomas"].socket() as at_tomas:
        await at_tomas.do("presence.set", state="away")
        desk = await open_as(nora, f"/rooms/{room}/members", timezone_id="UTC")
        phone = await open_as(people["samir"], f"/rooms/{room}", phone=True, dark=True, timezone_id="UTC")
        for tab in (desk, phone):
            await expect(tab.message("👍")).to_be_in_viewport()
        for group in ("Online · 4", "Away · 1", "Offline · 1"):
            await expect(desk.panel.get_by_text(group)).to_be_visible()
        await at_ines.do("typing", room=room)
        await expect(desk.typing).to_be_visible()
        await desk.page.screenshot(path=folder / "desk-light.png", animations="disabled")
        await phone.page.screenshot(path=folder / "phone-dark.png", animations="disabled")
        await desk.page.emulate_media(color_scheme="dark")
        await desk.page.screenshot(path=folder / "desk-dark.png", animations="disabled")
    assert size(folder / "desk-light.png") == (1280, 800)
    assert size(folder / "phone-dark.png") == (780, 1688)
    assert (folder / "desk-light.png").read_bytes() != (folder / "desk-dark.png").read_bytes()
