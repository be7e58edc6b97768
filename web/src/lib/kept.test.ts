import { beforeEach, expect, test } from "vitest";
import type { Timeline } from "./timeline.svelte";
import { FakeClock, settle } from "./testing/clock";
import { ADA, BOB, FakeServer } from "./testing/server";
import { Browser, type FakeKept, type Tab } from "./testing/tab";

let clock: FakeClock;
let server: FakeServer;
let browser: Browser;
let kept: FakeKept;

beforeEach(() => {
  clock = new FakeClock();
  server = new FakeServer(clock);
  server.room(1, "general", [ADA, BOB]);
  server.room(2, "garden", [ADA, BOB]);
  server.line(ADA, 1, "created", { name: "general" });
  browser = new Browser(clock, server);
  if (browser.kept === null) throw new Error("a browser keeps things unless a test says otherwise");
  kept = browser.kept;
});

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

/** Ada looked at the room, and closed the browser. */
async function visit(room: number, look: (tab: Tab) => unknown = () => {}): Promise<void> {
  const tab = await browser.tab(ADA, `/rooms/${room}`);
  await look(tab);
  tab.page.tell("hidden");
  await settle();
  tab.close();
  server.cut();
}

/** Nobody answers from now on. */
function away(): void {
  server.frozen = true;
}

/** The server is back, and the page tries again. */
async function back(tab: Tab): Promise<void> {
  server.frozen = false;
  await clock.advance(20_000);
  tab.app.retryNow();
  await clock.advance(1000);
  expect(tab.app.connection.state.name).toBe("open");
}

test("without the server the rooms and the newest messages of a room visited before are there", async () => {
  server.post(BOB, 1, "hello");
  await visit(1);
  away();
  const tab = await browser.tab(ADA, "/rooms/1");
  expect(tab.app.ready).toBe(true);
  expect(tab.app.rooms.public.map((room) => room.name)).toEqual(["garden", "general"]);
  expect(texts(tab)).toEqual(["hello"]);
  expect(current(tab)).toMatchObject({ loaded: true, live: true, problem: null, loading: null });
});

test("what changed while the room was open is kept as it is now, a moment later", async () => {
  await visit(1, async () => {
    const message = server.post(BOB, 1, "helo");
    server.change(message, { text: "hello" });
    server.change(server.post(BOB, 1, "a secret"), { text: "", deleted: true });
    await clock.advance(2000);
    expect(kept.rooms.get(1)?.messages.map((one) => one.text)).toEqual(["", "hello", ""]);
  });
});

test("at most fifty messages of at most twenty rooms are kept", async () => {
  for (let id = 10; id < 35; id += 1) server.room(id, `room-${id}`, [ADA, BOB]);
  for (let number = 1; number <= 70; number += 1) server.post(BOB, 10, `${number}`);
  server.rooms.get(10)?.read.set(ADA.id, 70);
  await visit(10, async (tab) => {
    while (current(tab).older) await current(tab).loadOlder();
  });
  expect(kept.rooms.get(10)?.messages).toHaveLength(50);
  expect(kept.rooms.get(10)?.from).toBe(21);
  for (let id = 11; id < 35; id += 1) {
    await clock.advance(10);
    await visit(id);
  }
  expect([...kept.rooms.keys()]).toEqual(Array.from({ length: 20 }, (_, index) => 15 + index));
});

test("a room that was not visited says that it cannot be loaded, and loads with the connection", async () => {
  server.post(BOB, 2, "roses");
  await visit(1);
  away();
  const tab = await browser.tab(ADA, "/rooms/2");
  expect(current(tab)).toMatchObject({ loaded: false, loading: null });
  expect(current(tab).problem?.code).toBe("disconnected");
  current(tab).send("tulips");
  await settle();
  expect(current(tab).pending.map((pending) => pending.text)).toEqual(["tulips"]);
  await back(tab);
  expect(texts(tab)).toEqual(["roses", "tulips"]);
});

test("when nothing happened meanwhile the room stays as it is shown, and nothing is asked for it", async () => {
  server.post(BOB, 1, "hello");
  await visit(1);
  away();
  const tab = await browser.tab(ADA, "/rooms/1");
  const shown = current(tab);
  const before = asked("message.list");
  await back(tab);
  expect(current(tab)).toBe(shown);
  expect([asked("message.list"), asked("resume"), asked("room.sync")]).toEqual([before, 0, 0]);
  server.post(BOB, 1, "again");
  await settle();
  expect(texts(tab)).toEqual(["hello", "again"]);
});

test("with news the room opens anew at what is unread, and what was shown stays until that has come", async () => {
  server.post(BOB, 1, "hello");
  await visit(1, async (tab) => {
    current(tab).setAtBottom(true);
    await clock.advance(1000);
  });
  for (let number = 1; number <= 30; number += 1) server.post(BOB, 1, `${number}`);
  away();
  const tab = await browser.tab(ADA, "/rooms/1");
  const shown = current(tab);
  expect(texts(tab)).toEqual(["hello"]);
  server.fault = (command) => (command.do === "message.list" ? "ignore" : null);
  await back(tab);
  expect(current(tab)).toBe(shown);
  expect(texts(tab)).toEqual(["hello"]);
  server.fault = () => null;
  server.cut();
  await back(tab);
  expect(current(tab)).not.toBe(shown);
  expect(current(tab)).toMatchObject({ newLine: 2, target: { seq: 3, kind: "unread" } });
  expect(texts(tab)).toContain("1");
  expect(tab.app.rooms.get(1)?.unread).toBe(30);
});

test("who changes the room while it opens anew sees the other one", async () => {
  server.post(BOB, 2, "roses");
  await visit(1);
  server.post(BOB, 1, "news");
  away();
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.list" && command.room === 1 ? "ignore" : null);
  await back(tab);
  tab.app.router.go({ name: "room", room: 2 });
  await settle();
  expect(texts(tab)).toEqual(["roses"]);
  server.fault = () => null;
  await clock.advance(20_000);
  expect(texts(tab)).toEqual(["roses"]);
  tab.app.router.go({ name: "room", room: 1 });
  await settle();
  expect(texts(tab)).toEqual(["news"]);
});

test("nothing stays of a room that one left, here or elsewhere", async () => {
  server.post(BOB, 1, "hello");
  await visit(1);
  await visit(2);
  expect([...kept.rooms.keys()]).toEqual([1, 2]);
  await visit(2, async () => {
    server.leave(ADA, 1, "removed");
    await settle();
    expect([...kept.rooms.keys()]).toEqual([2]);
    expect(kept.last?.rooms.map((room) => room.id)).toEqual([2]);
  });
  server.rooms.get(2)?.members.delete(ADA.id);
  await visit(1);
  expect(kept.rooms.size).toBe(0);
  expect(kept.last?.rooms).toEqual([]);
});

test("nothing stays of another person", async () => {
  server.post(BOB, 1, "for Ada");
  await visit(1);
  server.rooms.get(1)?.members.delete(BOB.id);
  await browser.tab(BOB, "/");
  expect(kept.last?.user.id).toBe(BOB.id);
  expect(kept.rooms.size).toBe(0);
});

test("nothing stays of logs that the server no longer has", async () => {
  server.post(BOB, 1, "hello");
  await visit(1);
  server.epoch = "second";
  const tab = await browser.tab(ADA, "/rooms/2");
  expect([...kept.rooms.keys()]).toEqual([]);
  tab.app.router.go({ name: "room", room: 1 });
  await settle();
  expect(texts(tab)).toEqual(["hello"]);
});

test("signing out leaves nothing in this browser", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  await clock.advance(2000);
  expect(kept.rooms.size).toBe(1);
  await tab.app.signOut();
  tab.page.tell("hidden");
  await settle();
  expect([kept.last, kept.rooms.size, browser.installed]).toEqual([null, 0, false]);
  expect(tab.left).toEqual(["/sign-in"]);
});

test("a session that ended elsewhere leaves only what was not sent", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.post" ? "ignore" : null);
  current(tab).send("not sent");
  await clock.advance(2000);
  server.cut(undefined, 4401);
  tab.page.tell("hidden");
  await settle();
  expect([kept.last, kept.rooms.size, browser.installed]).toEqual([null, 0, false]);
  expect(tab.left).toEqual(["/sign-in"]);
  expect((await browser.store.all(ADA.id)).map((pending) => pending.text)).toEqual(["not sent"]);
});

test("a browser that keeps nothing, or stops doing so, works all the same", async () => {
  browser.kept = null;
  server.post(BOB, 1, "hello");
  expect(texts(await browser.tab(ADA, "/rooms/1"))).toEqual(["hello"]);
  browser.kept = kept;
  kept.putPage = () => Promise.reject(new Error("no space"));
  const tab = await browser.tab(ADA, "/rooms/1");
  await clock.advance(5000);
  server.post(BOB, 1, "again");
  await clock.advance(5000);
  expect(texts(tab)).toEqual(["hello", "again"]);
});
