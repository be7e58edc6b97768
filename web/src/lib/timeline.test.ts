import { beforeEach, expect, test } from "vitest";
import type { Timeline } from "./timeline.svelte";
import { FakeClock, settle } from "./testing/clock";
import { ADA, BOB, FakeServer } from "./testing/server";
import { Browser, type Tab } from "./testing/tab";

let clock: FakeClock;
let server: FakeServer;
let browser: Browser;

// A page of the fake server's history holds 10 messages.
beforeEach(() => {
  clock = new FakeClock();
  server = new FakeServer(clock);
  server.room(1, "general", [ADA, BOB]);
  server.room(2, "garden", [ADA, BOB]);
  server.line(ADA, 1, "created", { name: "general" });
  browser = new Browser(clock, server);
});

function fill(count: number, room = 1): void {
  for (let number = 1; number <= count; number += 1) server.post(BOB, room, `${number}`);
}

function current(tab: Tab): Timeline {
  const { current: timeline } = tab.app.timelines;
  if (!timeline) throw new Error("no timeline is shown");
  return timeline;
}

function texts(tab: Tab): string[] {
  return current(tab).messages.flatMap((message) => (message.text ? [message.text] : []));
}

function asked(verb: string): number {
  return server.heard.filter((command) => command.do === verb).length;
}

test("a room that is all read opens at its newest page", async () => {
  fill(30);
  server.rooms.get(1)?.read.set(ADA.id, 31);
  const tab = await browser.tab(ADA, "/rooms/1");
  expect(texts(tab)).toEqual(["21", "22", "23", "24", "25", "26", "27", "28", "29", "30"]);
  expect(current(tab)).toMatchObject({ loaded: true, older: true, newer: false, live: true, newLine: null, target: null, loading: null });
});

test("history is loaded up to the room's first line, page by page", async () => {
  fill(25);
  server.rooms.get(1)?.read.set(ADA.id, 26);
  const tab = await browser.tab(ADA, "/rooms/1");
  void current(tab).loadOlder();
  void current(tab).loadOlder();
  await settle();
  expect(texts(tab)).toHaveLength(20);
  while (current(tab).older) await current(tab).loadOlder();
  expect(texts(tab)).toHaveLength(25);
  expect(current(tab).messages[0]?.kind).toBe("created");
  const before = asked("message.list");
  await current(tab).loadOlder();
  expect(asked("message.list")).toBe(before);
});

test("a few unread messages: the newest page, and the line before the first of them, which stays while they are read", async () => {
  fill(20);
  server.rooms.get(1)?.read.set(ADA.id, 18);
  const tab = await browser.tab(ADA, "/rooms/1");
  expect(current(tab)).toMatchObject({ newLine: 18, live: true, target: { seq: 19, kind: "unread" } });
  current(tab).reached();
  current(tab).setAtBottom(true);
  await clock.advance(1000);
  expect(tab.app.rooms.get(1)).toMatchObject({ read: 21, unread: 0 });
  server.post(BOB, 1, "one more");
  await clock.advance(1000);
  expect(current(tab).newLine).toBe(18);
  expect(tab.app.rooms.get(1)?.unread).toBe(0);
});

test("many unread messages: the page around the first of them, from which the newest can be reached", async () => {
  fill(60);
  server.rooms.get(1)?.read.set(ADA.id, 11);
  const tab = await browser.tab(ADA, "/rooms/1");
  expect(current(tab)).toMatchObject({ newLine: 11, live: false, older: true, newer: true, target: { seq: 12, kind: "unread" } });
  expect(texts(tab)).toContain("11");
  current(tab).setAtBottom(true);
  await clock.advance(2000);
  expect(asked("room.read")).toBe(0);
  while (current(tab).newer) await current(tab).loadNewer();
  expect(current(tab).live).toBe(true);
  expect(texts(tab).at(-1)).toBe("60");
  await clock.advance(1000);
  expect(tab.app.rooms.get(1)).toMatchObject({ read: 61, unread: 0 });
});

test("the jump to the newest leaves a gap between, which closes when the pages between are loaded", async () => {
  fill(60);
  const tab = await browser.tab(ADA, "/rooms/1/at/20");
  expect(current(tab)).toMatchObject({ live: false, target: { seq: 20, kind: "permalink" } });
  await current(tab).jumpToNewest();
  expect(texts(tab)).toEqual(["51", "52", "53", "54", "55", "56", "57", "58", "59", "60"]);
  await current(tab).jumpTo(20);
  expect(texts(tab)).toContain("19");
  expect(asked("message.list")).toBe(2);
  while (current(tab).newer) await current(tab).loadNewer();
  const numbers = texts(tab).map(Number);
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => (numbers[0] ?? 0) + index));
  expect(numbers.at(-1)).toBe(60);
});

test("a room is read only while the page is in view and its newest message too", async () => {
  fill(3);
  const tab = await browser.tab(ADA, "/rooms/1");
  await clock.advance(1000);
  expect(tab.app.rooms.get(1)?.unread).toBe(3);
  tab.page.tell("hidden");
  current(tab).setAtBottom(true);
  await clock.advance(1000);
  expect(tab.app.rooms.get(1)?.unread).toBe(3);
  tab.page.tell("shown");
  await clock.advance(1000);
  expect(tab.app.rooms.get(1)?.unread).toBe(0);
  expect(asked("room.read")).toBe(1);
});

test("a stream of messages is marked as read now and then, not never and not each", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  current(tab).setAtBottom(true);
  for (let count = 0; count < 50; count += 1) {
    server.post(BOB, 1, "quick");
    await clock.advance(100);
  }
  expect(asked("room.read")).toBeGreaterThan(5);
  expect(asked("room.read")).toBeLessThan(20);
});

test("a read mark that the server could not take is told again", async () => {
  fill(3);
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "room.read" ? { refuse: { code: "busy", text: "Slow.", retry_after: 3 } } : null);
  current(tab).setAtBottom(true);
  await clock.advance(1000);
  expect(tab.app.rooms.get(1)).toMatchObject({ read: 0, unread: 3 });
  server.fault = () => null;
  await clock.advance(3000);
  expect(tab.app.rooms.get(1)).toMatchObject({ read: 4, unread: 0 });
});

test("reading on another device takes the count away here", async () => {
  fill(3);
  const here = await browser.tab(ADA, "/");
  const there = await browser.tab(ADA, "/rooms/1");
  expect(here.app.rooms.unread).toBe(3);
  current(there).setAtBottom(true);
  await clock.advance(1000);
  server.tell(ADA, { event: "room.read", room: 1, read: 4, unread: 0 });
  expect(here.app.rooms.unread).toBe(0);
});

test("scrolled up, messages of others are counted, own ones are not, and the line moves to where reading stopped", async () => {
  fill(3);
  const tab = await browser.tab(ADA, "/rooms/1");
  current(tab).setAtBottom(true);
  await clock.advance(1000);
  current(tab).setAtBottom(false);
  server.post(BOB, 1, "down here");
  server.post(BOB, 1, "and here");
  server.post(ADA, 1, "from my phone");
  expect(current(tab)).toMatchObject({ newBelow: 2, newLine: 4 });
  current(tab).setAtBottom(true);
  expect(current(tab).newBelow).toBe(0);
  expect(current(tab).newLine).toBe(4);
});

test("with the page out of sight, the line marks what came meanwhile", async () => {
  fill(3);
  const tab = await browser.tab(ADA, "/rooms/1");
  current(tab).setAtBottom(true);
  await clock.advance(1000);
  current(tab).dismissNewLine();
  tab.page.tell("hidden");
  server.post(BOB, 1, "are you there?");
  await clock.advance(1000);
  expect(current(tab)).toMatchObject({ newLine: 4, newBelow: 0 });
  expect(tab.app.rooms.get(1)?.unread).toBe(1);
});

test("a lost event is noticed by the next one and asked for", async () => {
  fill(2);
  const tab = await browser.tab(ADA, "/rooms/1");
  server.silently(() => server.post(BOB, 1, "lost"));
  server.post(BOB, 1, "heard");
  expect(texts(tab)).toEqual(["1", "2"]);
  await clock.advance(200);
  expect(texts(tab)).toEqual(["1", "2", "lost", "heard"]);
  expect(asked("room.sync")).toBe(1);
  expect(tab.app.rooms.get(1)).toMatchObject({ seq: 5, unread: 4 });
});

test("a gap that closes by itself is not asked for", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.hold();
  fill(3);
  server.release((frames) => frames.reverse());
  expect(texts(tab)).toEqual(["1", "2", "3"]);
  await clock.advance(1000);
  expect(asked("room.sync")).toBe(0);
});

test("a gap is asked for again when the server is too busy to answer", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "room.sync" ? { refuse: { code: "busy", text: "Slow.", retry_after: 1 } } : null);
  server.silently(() => fill(50));
  server.post(BOB, 1, "heard");
  await clock.advance(1500);
  expect(texts(tab)).toEqual([]);
  server.fault = () => null;
  await clock.advance(2000);
  expect(texts(tab)).toHaveLength(51);
});

test("after a lost connection all kept rooms catch up in one command, with edits, deletions and more than one page", async () => {
  fill(3, 1);
  fill(3, 2);
  const tab = await browser.tab(ADA, "/rooms/2");
  tab.app.router.go({ name: "room", room: 1 });
  await settle();
  server.cut();
  fill(70, 1);
  server.change(server.messages(1)[1]!, { text: "edited", edited_at: "2026-11-24T09:01:00Z" });
  server.change(server.messages(2)[0]!, { text: "", deleted: true });
  await clock.advance(1000);
  expect(asked("resume")).toBe(1);
  expect(texts(tab)).toEqual(server.messages(1).flatMap((message) => (message.text ? [message.text] : [])));
  tab.app.router.go({ name: "room", room: 2 });
  expect(current(tab).messages.map((message) => message.deleted ?? false)).toEqual([true, false, false]);
  const loads = asked("message.list");
  await settle();
  expect(asked("message.list")).toBe(loads);
});

test("a connection that comes back with nothing missed asks for nothing", async () => {
  fill(3);
  const tab = await browser.tab(ADA, "/rooms/1");
  server.cut();
  await clock.advance(1000);
  expect(tab.app.connection.state.name).toBe("open");
  expect(asked("resume")).toBe(0);
  expect(asked("message.list")).toBe(1);
});

test("too far behind: the newest page is loaded, and there is no hole in what is shown", async () => {
  fill(10);
  const tab = await browser.tab(ADA, "/rooms/1");
  server.cut();
  fill(300);
  await clock.advance(1000);
  expect(texts(tab)).toEqual(["291", "292", "293", "294", "295", "296", "297", "298", "299", "300"]);
  expect(current(tab).older).toBe(true);
  await current(tab).loadOlder();
  expect(texts(tab)[0]).toBe("281");
});

test("another epoch: everything is loaded anew, although the numbers would fit", async () => {
  fill(5);
  const tab = await browser.tab(ADA, "/rooms/1");
  server.cut();
  server.epoch = "restored";
  const room = server.rooms.get(1);
  room?.events.splice(3);
  server.post(BOB, 1, "another history");
  await clock.advance(1000);
  expect(texts(tab)).toEqual(["1", "2", "another history"]);
  expect(asked("resume")).toBe(0);
});

test("a room that was left during the absence is forgotten", async () => {
  const tab = await browser.tab(ADA, "/rooms/2");
  server.cut();
  server.rooms.get(2)?.members.delete(ADA.id);
  await clock.advance(1000);
  expect(tab.app.timelines.current).toBeNull();
  expect(tab.app.rooms.get(2)).toBeUndefined();
});

test("being removed takes the room away at once and says which it was; coming back shows it again", async () => {
  const tab = await browser.tab(ADA, "/rooms/2");
  server.leave(ADA, 2, "removed");
  expect(tab.app.timelines.current).toBeNull();
  expect(tab.app.rooms.removedFrom?.name).toBe("garden");
  const room = server.rooms.get(2)!;
  room.members.add(ADA.id);
  server.post(BOB, 2, "welcome back");
  server.tell(ADA, { event: "room.joined", room: server.view(room, ADA) });
  await settle();
  expect(texts(tab)).toEqual(["welcome back"]);
});

test("only the last twenty rooms are kept, and each one opens complete", async () => {
  for (let id = 10; id < 40; id += 1) {
    server.room(id, `room ${id}`, [ADA, BOB]);
    server.post(BOB, id, "hi");
  }
  const tab = await browser.tab(ADA, "/");
  for (let id = 10; id < 40; id += 1) {
    tab.app.router.go({ name: "room", room: id });
    await settle();
    expect(texts(tab)).toEqual(["hi"]);
  }
  server.cut();
  for (let id = 10; id < 40; id += 1) server.post(BOB, id, "again");
  await clock.advance(1000);
  expect(Object.keys(server.heard.find((command) => command.do === "resume")?.rooms as object)).toHaveLength(20);
  tab.app.router.go({ name: "room", room: 10 });
  await settle();
  expect(texts(tab)).toEqual(["hi", "again"]);
});

test("a page that could not be loaded says why, and is loaded when the connection is back", async () => {
  fill(3);
  server.fault = (command) => (command.do === "message.list" ? "ignore" : null);
  const tab = await browser.tab(ADA, "/rooms/1");
  expect(current(tab).loading).toBe("first");
  server.cut();
  await settle();
  expect(current(tab)).toMatchObject({ loading: null, loaded: false, problem: { code: "disconnected" } });
  server.fault = () => null;
  await clock.advance(1000);
  expect(texts(tab)).toEqual(["1", "2", "3"]);
  expect(current(tab).problem).toBeNull();
});

test("a slow first page does not lose what is said while it is under way", async () => {
  fill(3);
  const tab = await browser.tab(ADA, "/");
  server.hold();
  tab.app.router.go({ name: "room", room: 1 });
  await settle();
  server.post(BOB, 1, "meanwhile");
  server.release((frames) => frames.reverse());
  await settle();
  expect(texts(tab)).toEqual(["1", "2", "3", "meanwhile"]);
});

test("members' panel and profiles keep the room behind them as it is", async () => {
  fill(60);
  const tab = await browser.tab(ADA, "/rooms/1/at/20");
  const before = current(tab);
  before.reached();
  tab.app.router.go({ name: "members", room: 1 });
  tab.app.router.go({ name: "person", user: BOB.id });
  await settle();
  expect(current(tab)).toBe(before);
  expect(before.target).toBeNull();
  expect(before.live).toBe(false);
});

test("sending while an old page is in view goes to the newest", async () => {
  fill(60);
  const tab = await browser.tab(ADA, "/rooms/1/at/20");
  current(tab).send("here");
  await settle();
  expect(current(tab).live).toBe(true);
  expect(texts(tab).at(-1)).toBe("here");
});

test("a room that is watched for hours does not grow without end", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  current(tab).setAtBottom(true);
  fill(700);
  expect(texts(tab).length).toBeLessThan(602);
  expect(texts(tab).at(-1)).toBe("700");
  expect(current(tab).older).toBe(true);
});

test("without a connection, a browser that was here before shows its rooms and takes messages", async () => {
  fill(3);
  const before = await browser.tab(ADA, "/rooms/1");
  before.close();
  server.closedWith = 1006;
  const tab = await browser.tab(ADA, "/rooms/1");
  expect(tab.app.ready).toBe(true);
  expect(tab.app.rooms.public.map((room) => room.name)).toEqual(["garden", "general"]);
  current(tab).send("written on the train");
  await settle();
  expect(current(tab).pending.map((pending) => pending.text)).toEqual(["written on the train"]);
  server.closedWith = null;
  await clock.advance(3000);
  expect(texts(tab)).toEqual(["1", "2", "3", "written on the train"]);
  expect(current(tab).pending).toEqual([]);
});
