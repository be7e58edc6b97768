import { beforeEach, expect, test } from "vitest";
import { FakeClock, settle } from "./testing/clock";
import { ADA, BOB, CYD, FakeServer } from "./testing/server";
import { Browser, type Tab } from "./testing/tab";

let clock: FakeClock;
let server: FakeServer;
let tab: Tab;

beforeEach(async () => {
  clock = new FakeClock();
  server = new FakeServer(clock);
  server.room(1, "general", [ADA, BOB]);
  server.room(2, "", [ADA, CYD], "direct");
  tab = await new Browser(clock, server).tab(ADA);
});

function names(): string[] {
  return tab.app.people.typing(1).map((person) => person.name);
}

function told(verb: string): unknown[] {
  return server.heard.filter((command) => command.do === verb).map((command) => command.state ?? command.room);
}

test("who is typing is shown for five seconds after they were last heard", async () => {
  server.tell(ADA, { event: "typing", room: 1, user: BOB });
  await clock.advance(3000);
  server.tell(ADA, { event: "typing", room: 1, user: CYD });
  server.tell(ADA, { event: "typing", room: 1, user: BOB });
  expect(names()).toEqual(["Bob Kahn", "Cyd Okafor"]);
  await clock.advance(4900);
  expect(names()).toEqual(["Bob Kahn", "Cyd Okafor"]);
  await clock.advance(100);
  expect(names()).toEqual([]);
});

test("who sends has stopped typing, and nobody is shown to themselves", () => {
  server.tell(ADA, { event: "typing", room: 1, user: BOB });
  server.tell(ADA, { event: "typing", room: 1, user: ADA });
  expect(names()).toEqual(["Bob Kahn"]);
  server.post(BOB, 1, "there");
  expect(names()).toEqual([]);
});

test("typing is told every two and a half seconds, and per room", async () => {
  const { people } = tab.app;
  for (let count = 0; count < 51; count += 1) {
    people.startTyping(1);
    await clock.advance(100);
  }
  people.startTyping(2);
  await settle();
  expect(told("typing")).toEqual([1, 1, 1, 2]);
});

test("presence is told in batches, and begins anew with each hello", async () => {
  const { people } = tab.app;
  expect(people.presence(CYD.id)).toBe("offline");
  server.tell(ADA, { event: "presence.changed", online: [CYD.id, 77], away: [BOB.id] });
  expect([BOB.id, CYD.id, 77, 99].map((id) => people.presence(id))).toEqual(["away", "online", "online", "offline"]);
  server.tell(ADA, { event: "presence.changed", offline: [CYD.id] });
  expect(people.get(CYD.id)).toMatchObject({ presence: "offline", last_seen: new Date(clock.now()).toISOString() });
  server.cut();
  await clock.advance(1000);
  expect([BOB.id, 77].map((id) => people.presence(id))).toEqual(["offline", "offline"]);
});

test("an event that leaves the presence out changes none, and asks for that of somebody new", async () => {
  const { presence: _, ...cyd } = CYD;
  server.tell(ADA, { event: "presence.changed", online: [CYD.id] });
  server.tell(ADA, { event: "user.changed", user: { ...cyd, name: "Cyd O." } });
  expect(tab.app.people.presence(CYD.id)).toBe("online");
  server.tell(ADA, { event: "user.changed", user: { id: 77, username: "eve", name: "Eve", role: "member" } });
  await settle();
  expect(told("user.get")).toHaveLength(1);
});

test("a new name shows wherever the person is named, also in what they said before", () => {
  const { people, rooms } = tab.app;
  server.tell(ADA, { event: "user.changed", user: { ...CYD, name: "Cyd O." } });
  server.tell(ADA, { event: "user.changed", user: { ...ADA, name: "Ada L." } });
  expect(people.of({ id: CYD.id, username: "cyd", name: "Cyd Okafor" }).name).toBe("Cyd O.");
  expect(rooms.direct.map((room) => rooms.title(room))).toEqual(["Cyd O."]);
  expect(tab.app.me?.name).toBe("Ada L.");
});

test("five minutes without input make away, the next input online again", async () => {
  await clock.advance(299_000);
  tab.page.tell("input");
  await clock.advance(299_000);
  expect(told("presence.set")).toEqual([]);
  await clock.advance(1000);
  expect(told("presence.set")).toEqual(["away"]);
  tab.page.tell("input");
  tab.page.tell("input");
  await settle();
  expect(told("presence.set")).toEqual(["away", "online"]);
});

test("a page out of sight for a minute makes away, a glance elsewhere does not", async () => {
  tab.page.tell("hidden");
  await clock.advance(30_000);
  tab.page.tell("shown");
  await clock.advance(60_000);
  expect(told("presence.set")).toEqual([]);
  tab.page.tell("hidden");
  await clock.advance(60_000);
  expect(told("presence.set")).toEqual(["away"]);
});

test("away is told again after a lost connection", async () => {
  await clock.advance(300_000);
  server.cut();
  await clock.advance(1000);
  expect(told("presence.set")).toEqual(["away", "away"]);
});

test("members who are here come first, and the list follows presence, comings and goings", async () => {
  server.rooms.get(1)?.members.add(CYD.id);
  const members = tab.app.members(1);
  await members.load();
  expect(members.list.map((user) => user.username)).toEqual(["ada", "bob", "cyd"]);
  server.tell(ADA, { event: "presence.changed", online: [CYD.id], away: [ADA.id] });
  expect(members.list.map((user) => user.username)).toEqual(["bob", "cyd", "ada"]);
  server.line(CYD, 1, "left");
  expect(members.list.map((user) => user.username)).toEqual(["bob", "ada"]);
  expect(members.total).toBe(2);
  server.line(ADA, 1, "added", { user: CYD });
  server.line(BOB, 1, "joined");
  await settle();
  expect(members.list.map((user) => user.username)).toEqual(["bob", "cyd", "ada"]);
  expect(members.total).toBe(3);
});

test("members are loaded anew after a lost connection", async () => {
  const members = tab.app.members(1);
  await members.load();
  server.cut();
  server.rooms.get(1)?.members.add(CYD.id);
  await clock.advance(1000);
  expect(members.total).toBe(3);
});

test("drafts survive closing the page, per person and room, and are gone once empty", async () => {
  const shelf = new Browser(clock, server);
  const first = await shelf.tab(ADA);
  first.app.drafts.set(1, "half a sentence");
  first.app.drafts.set(2, "x");
  first.app.drafts.set(2, "");
  first.close();
  const again = await shelf.tab(ADA);
  expect([again.app.drafts.get(1), again.app.drafts.has(1), again.app.drafts.has(2)]).toEqual(["half a sentence", true, false]);
  again.close();
  const bobs = await shelf.tab(BOB);
  expect(bobs.app.drafts.get(1)).toBe("");
});
