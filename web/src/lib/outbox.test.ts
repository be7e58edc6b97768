import "fake-indexeddb/auto";
import { beforeEach, expect, test, vi } from "vitest";
import { memoryStore, type OutboxStore, type Pending } from "./outbox";
import { openOutboxStore } from "./outbox-database";
import { FakeClock, settle } from "./testing/clock";
import { ADA, BOB, FakeServer } from "./testing/server";
import { Browser, type Tab } from "./testing/tab";

let clock: FakeClock;
let server: FakeServer;
let browser: Browser;
let databases = 0;

beforeEach(async () => {
  clock = new FakeClock();
  server = new FakeServer(clock);
  server.room(1, "general", [ADA, BOB]);
  server.line(ADA, 1, "created", { name: "general" });
  browser = new Browser(clock, server);
  browser.store = await openOutboxStore(`test-${++databases}`);
});

function send(tab: Tab, text: string): void {
  expect(tab.app.timelines.current?.send(text)).toBeNull();
}

function texts(room = 1): string[] {
  return server.messages(room).flatMap((message) => (message.text ? [message.text] : []));
}

/** What the person sees: texts in the timeline, then pending ones with their state. */
function seen(tab: Tab): string[] {
  const timeline = tab.app.timelines.current;
  const sent = (timeline?.messages ?? []).flatMap((message) => (message.text ? [message.text] : []));
  return [...sent, ...(timeline?.pending ?? []).map((pending) => `${pending.text} (${pending.state})`)];
}

function posts(): number {
  return server.heard.filter((command) => command.do === "message.post").length;
}

test("a message shows at once, and stands in the timeline once when it is acknowledged", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  send(tab, "hello");
  expect(seen(tab)).toEqual(["hello (waiting)"]);
  await settle();
  expect(seen(tab)).toEqual(["hello"]);
  expect(tab.app.outbox.list).toEqual([]);
  expect(await browser.store.all(ADA.id)).toEqual([]);
});

test("a sent row keeps the key that it had while it was pending", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  const { current } = tab.app.timelines;
  send(tab, "hello");
  const nonce = current?.pending[0]?.nonce;
  await settle();
  const message = current?.messages.at(-1);
  expect(message && current?.keyOf(message)).toBe(nonce);
});

test("messages arrive in the order in which they were written, one under way at a time", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.frozen = true;
  for (const text of ["one", "two", "three"]) send(tab, text);
  await settle();
  expect(seen(tab)).toEqual(["one (sending)", "two (waiting)", "three (waiting)"]);
  server.frozen = false;
  server.cut();
  await clock.advance(1000);
  expect(texts()).toEqual(["one", "two", "three"]);
  expect(seen(tab)).toEqual(["one", "two", "three"]);
});

test("a message whose acknowledgement was lost is sent again with the same nonce, stored once and shown once all the while", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.post" ? "lose reply" : null);
  send(tab, "hello");
  await settle();
  expect(seen(tab)).toEqual(["hello"]);
  expect(tab.app.unsent).toBe(1);
  server.cut();
  await clock.advance(300);
  expect(seen(tab)).toEqual(["hello"]);
  server.fault = () => null;
  server.cut();
  await clock.advance(2000);
  expect(posts()).toBe(3);
  expect(new Set(server.heard.filter((command) => command.do === "message.post").map((command) => command.nonce)).size).toBe(1);
  expect(texts()).toEqual(["hello"]);
  expect(seen(tab)).toEqual(["hello"]);
  expect(tab.app.unsent).toBe(0);
});

test("an acknowledgement that comes before other people's earlier messages does not show the message twice or out of order", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.hold();
  server.post(BOB, 1, "first");
  send(tab, "second");
  await settle();
  server.release((frames) => frames.reverse());
  await settle();
  expect(seen(tab)).toEqual(["first", "second"]);
  await clock.advance(1000);
  expect(seen(tab)).toEqual(["first", "second"]);
  expect(tab.app.outbox.list).toEqual([]);
});

test("two messages of the same words are two messages", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.post" ? "lose reply" : null);
  send(tab, "ok");
  send(tab, "ok");
  await settle();
  expect(seen(tab)).toEqual(["ok", "ok (waiting)"]);
  server.fault = () => null;
  server.cut();
  await clock.advance(1000);
  expect(texts()).toEqual(["ok", "ok"]);
  expect(seen(tab)).toEqual(["ok", "ok"]);
});

test("too many at once: the outbox waits as long as the server says, and shows until when", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.post" ? { refuse: { code: "rate_limited", text: "Too many messages.", retry_after: 20 } } : null);
  send(tab, "patience");
  await settle();
  expect(tab.app.outbox.list[0]).toMatchObject({ state: "waiting", until: clock.now() + 20_125 });
  server.fault = () => null;
  await clock.advance(19_000);
  expect(posts()).toBe(1);
  await clock.advance(2000);
  expect(texts()).toEqual(["patience"]);
  expect(seen(tab)).toEqual(["patience"]);
});

test("a busy server is asked again, more slowly each time", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.post" ? { refuse: { code: "busy", text: "The database is slow." } } : null);
  send(tab, "hello");
  await clock.advance(60_000);
  expect(posts()).toBeGreaterThan(3);
  expect(posts()).toBeLessThan(9);
  server.fault = () => null;
  await clock.advance(30_000);
  expect(texts()).toEqual(["hello"]);
});

test("a final refusal is shown with the server's sentence, and can be sent again or deleted", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.post" ? { refuse: { code: "conflict", text: "This room is archived." } } : null);
  send(tab, "hello");
  send(tab, "anybody?");
  await settle();
  expect(seen(tab)).toEqual(["hello (failed)", "anybody? (failed)"]);
  const [first, second] = tab.app.outbox.list;
  expect(first?.problem?.text).toBe("This room is archived.");
  server.fault = () => null;
  if (first) void tab.app.outbox.sendAgain(first);
  if (second) void tab.app.outbox.discard(second.nonce);
  await settle();
  expect(seen(tab)).toEqual(["hello"]);
  expect(server.heard.filter((command) => command.do === "message.post").map((command) => command.nonce)).toEqual([first?.nonce, second?.nonce, first?.nonce]);
  expect(await browser.store.all(ADA.id)).toEqual([]);
});

test("after a conflict of nonces it is sent again under a new one", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.post" ? { refuse: { code: "nonce_conflict", text: "That was sent already." } } : null);
  send(tab, "hello");
  await settle();
  server.fault = () => null;
  const [failed] = tab.app.outbox.list;
  if (failed) await tab.app.outbox.sendAgain(failed);
  await settle();
  expect(texts()).toEqual(["hello"]);
  const nonces = server.heard.filter((command) => command.do === "message.post").map((command) => command.nonce);
  expect(new Set(nonces).size).toBe(2);
  expect(await browser.store.all(ADA.id)).toEqual([]);
});

test("a message taken back while it is under way does not come back as failed", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = () => "ignore";
  send(tab, "oops");
  await settle();
  const [pending] = tab.app.outbox.list;
  if (pending) await tab.app.outbox.discard(pending.nonce);
  server.fault = () => null;
  await clock.advance(60_000);
  expect(texts()).toEqual([]);
  expect(seen(tab)).toEqual([]);
  expect(await browser.store.all(ADA.id)).toEqual([]);
});

test("what was written offline survives closing the browser, and is sent once, in order", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.closedWith = 1006;
  server.cut();
  for (const text of ["one", "two", "three"]) send(tab, text);
  await settle();
  tab.close();

  const again = await browser.tab(ADA, "/rooms/1");
  await settle();
  expect(again.app.connection.state.name).toBe("waiting");
  expect(seen(again)).toEqual(["one (waiting)", "two (waiting)", "three (waiting)"]);
  server.closedWith = null;
  await clock.advance(1000);
  expect(texts()).toEqual(["one", "two", "three"]);
  expect(seen(again)).toEqual(["one", "two", "three"]);
});

test("a message that was stored although the browser was closed before the reply is not stored again", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.post" ? "lose reply" : null);
  send(tab, "hello");
  await settle();
  tab.close();
  const again = await browser.tab(ADA, "/rooms/1");
  expect(seen(again)).toEqual(["hello"]);
  server.fault = () => null;
  server.cut();
  await clock.advance(1000);
  expect(texts()).toEqual(["hello"]);
  expect(again.app.unsent).toBe(0);
});

test("two tabs send each message once, in the order of writing, and both show it", async () => {
  const one = await browser.tab(ADA, "/rooms/1");
  const other = await browser.tab(ADA, "/rooms/1");
  server.closedWith = 1006;
  server.cut();
  send(one, "a");
  await settle();
  send(other, "b");
  await settle();
  send(one, "c");
  await settle();
  const waiting = ["a (waiting)", "b (waiting)", "c (waiting)"];
  expect(seen(one)).toEqual(waiting);
  expect(seen(other)).toEqual(waiting);
  server.closedWith = null;
  await clock.advance(2000);
  expect(posts()).toBe(3);
  expect(texts()).toEqual(["a", "b", "c"]);
  expect(seen(one)).toEqual(["a", "b", "c"]);
  expect(seen(other)).toEqual(["a", "b", "c"]);
  expect(one.app.unsent + other.app.unsent).toBe(0);
});

test("a tab that is closed leaves its messages to the other one", async () => {
  const one = await browser.tab(ADA, "/rooms/1");
  const other = await browser.tab(ADA, "/rooms/1");
  server.fault = () => "ignore";
  send(one, "take over");
  await settle();
  expect(posts()).toBe(0);
  one.close();
  server.fault = () => null;
  await clock.advance(1000);
  expect(texts()).toEqual(["take over"]);
  expect(seen(other)).toEqual(["take over"]);
});

test("what is older than a day is not sent without asking", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.closedWith = 1006;
  server.cut();
  send(tab, "see you in an hour");
  await settle();
  tab.close();
  clock.sleep(25 * 3600 * 1000);
  server.closedWith = null;
  const later = await browser.tab(ADA, "/rooms/1");
  await clock.advance(1000);
  expect(seen(later)).toEqual(["see you in an hour (old)"]);
  expect(posts()).toBe(0);
  const [old] = later.app.outbox.list;
  if (old) await later.app.outbox.sendAgain(old);
  await settle();
  expect(seen(later)).toEqual(["see you in an hour"]);
});

test("another person in the same browser neither sees nor sends what the first one left", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.closedWith = 1006;
  server.cut();
  send(tab, "mine");
  await settle();
  tab.close();
  server.closedWith = null;
  const bobs = await browser.tab(BOB, "/rooms/1");
  await clock.advance(5000);
  expect(seen(bobs)).toEqual([]);
  expect(texts()).toEqual([]);
  bobs.close();
  const adas = await browser.tab(ADA, "/rooms/1");
  expect(seen(adas)).toEqual(["mine"]);
});

test("signing out says how many messages would be lost, and leaves nothing behind in any tab", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  const other = await browser.tab(ADA, "/rooms/1");
  server.fault = () => "ignore";
  send(tab, "unsent");
  tab.app.drafts.set(1, "half a sen");
  await settle();
  expect(tab.app.unsent).toBe(1);
  await tab.app.signOut();
  await settle();
  expect(await browser.store.all(ADA.id)).toEqual([]);
  expect(browser.shelf.length).toBe(0);
  expect(other.app.outbox.list).toEqual([]);
  expect(tab.left).toEqual(["/sign-in"]);
});

test("signing out without a network is refused, and nothing is lost by it", async () => {
  const tab = await browser.tab(ADA, "/rooms/1");
  server.frozen = true;
  send(tab, "unsent");
  await settle();
  await expect(tab.app.signOut()).rejects.toMatchObject({ code: "disconnected" });
  expect(seen(tab)).toEqual(["unsent (waiting)"]);
  expect(tab.left).toEqual([]);
  server.frozen = false;
  await clock.advance(20_000);
  expect(seen(tab)).toEqual(["unsent"]);
});

test("where the browser keeps nothing, messages are sent all the same, and it says so", async () => {
  const warning = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const full: OutboxStore = { ...memoryStore(), persistent: true, put: () => Promise.reject(new Error("no space")) };
  browser.store = full;
  const tab = await browser.tab(ADA, "/rooms/1");
  expect(tab.app.outbox.persistent).toBe(true);
  send(tab, "hello");
  send(tab, "world");
  await settle();
  expect(tab.app.outbox.persistent).toBe(false);
  expect(texts()).toEqual(["hello", "world"]);
  expect(seen(tab)).toEqual(["hello", "world"]);
  expect(warning).toHaveBeenCalledOnce();
  warning.mockRestore();
});

test("a tab whose reply was lost learns from the others that its message is stored, even while its timeline has a gap", async () => {
  const one = await browser.tab(ADA, "/rooms/1");
  await browser.tab(ADA, "/rooms/1");
  server.fault = (command) => (command.do === "message.post" ? "lose reply" : command.do === "room.sync" ? "ignore" : null);
  server.silently(() => server.post(BOB, 1, "lost event"));
  send(one, "hello");
  await clock.advance(500);
  expect(seen(one)).toEqual(["hello (sent)"]);
  await clock.advance(16_000);
  expect(seen(one)).toEqual(["hello (sent)"]);
  server.fault = () => null;
  await clock.advance(60_000);
  expect(seen(one)).toEqual(["lost event", "hello"]);
  expect(one.app.outbox.list).toEqual([]);
  expect(posts()).toBe(1);
});

test("news of other tabs that come in the wrong order leave nothing behind", async () => {
  const one = await browser.tab(ADA, "/rooms/1");
  const late: Pending = { nonce: "sent long ago", user: ADA.id, room: 1, text: "ghost", created_at: clock.now(), order: clock.now(), state: "waiting" };
  browser.tell("roomful-outbox", { gone: late.nonce, user: ADA.id });
  browser.tell("roomful-outbox", { put: late });
  await settle();
  expect(seen(one)).toEqual([]);
  expect(posts()).toBe(0);
});
