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
  server.room(2, "Garden", [ADA, BOB]);
  server.room(3, "board", [ADA, BOB], "private");
  server.room(4, "", [ADA, BOB], "direct");
  server.room(5, "", [ADA, CYD], "direct");
  server.room(6, "elsewhere", [BOB]);
  server.post(CYD, 5, "hello");
  tab = await new Browser(clock, server).tab(ADA);
});

function unread(room: number): number | undefined {
  return tab.app.rooms.get(room)?.unread;
}

test("public and private rooms are listed by name, direct ones by the newest message", () => {
  const { rooms } = tab.app;
  expect(rooms.public.map((room) => room.name)).toEqual(["Garden", "general"]);
  expect(rooms.private.map((room) => room.name)).toEqual(["board"]);
  expect(rooms.direct.map((room) => rooms.title(room))).toEqual(["Cyd Okafor", "Bob Kahn"]);
  clock.sleep(1000);
  server.post(BOB, 4, "lunch?");
  expect(rooms.direct.map((room) => rooms.title(room))).toEqual(["Bob Kahn", "Cyd Okafor"]);
});

test("texts of others count as unread; own texts, lines and repeats do not", () => {
  const message = server.post(BOB, 1, "one");
  server.post(ADA, 1, "mine");
  server.line(BOB, 1, "joined");
  server.tell(ADA, { event: "message.posted", room: 1, seq: message.seq, message });
  expect(unread(1)).toBe(1);
  expect(tab.app.rooms.unread).toBe(2);
});

test("an edit changes no count, a deletion takes its text out", () => {
  const first = server.post(BOB, 1, "one");
  const second = server.post(BOB, 1, "two");
  server.change(first, { text: "ONE" });
  expect(unread(1)).toBe(2);
  server.change(second, { text: "", deleted: true });
  expect(unread(1)).toBe(1);
});

test("no more than a hundred are counted", () => {
  for (let count = 0; count < 130; count += 1) server.post(BOB, 1, "many");
  expect(unread(1)).toBe(100);
});

test("after a missed event the server is asked for the numbers", async () => {
  server.silently(() => server.post(BOB, 1, "lost"));
  server.silently(() => server.line(BOB, 1, "joined"));
  server.post(BOB, 1, "heard");
  await settle();
  expect(tab.app.rooms.get(1)).toMatchObject({ seq: 3, unread: 2 });
});

test("a gap that the server healed counts what it brought", () => {
  server.silently(() => server.post(BOB, 1, "lost"));
  const messages = server.messages(1);
  server.tell(ADA, { event: "room.sync", sync: { room: 1, from: 0, to: 1, more: false, messages } });
  server.tell(ADA, { event: "room.sync", sync: { room: 1, from: 0, to: 1, more: false, messages } });
  expect(tab.app.rooms.get(1)).toMatchObject({ seq: 1, unread: 1 });
});

test("a rename, a topic and an archiving show at once", () => {
  server.line(BOB, 1, "renamed", { name: "lobby", before: "general" });
  server.line(BOB, 1, "topic", { topic: "Welcome" });
  server.line(BOB, 1, "archived");
  expect(tab.app.rooms.get(1)).toMatchObject({ name: "lobby", topic: "Welcome", archived: true });
  server.line(BOB, 1, "restored");
  expect(tab.app.rooms.get(1)?.archived).toBe(false);
});

test("a read position told by another device never goes back", () => {
  for (let count = 0; count < 3; count += 1) server.post(BOB, 1, "one");
  server.tell(ADA, { event: "room.read", room: 1, read: 3, unread: 0 });
  server.tell(ADA, { event: "room.read", room: 1, read: 1, unread: 2 });
  expect(tab.app.rooms.get(1)).toMatchObject({ read: 3, unread: 0 });
});

test("a silenced room is not part of the sum in the title", () => {
  server.post(BOB, 1, "one");
  expect(tab.app.title).toBe("(2) Analytical Engines");
  server.tell(ADA, { event: "room.involved", room: 1, involvement: "nothing" });
  expect(tab.app.title).toBe("(1) Analytical Engines");
});

test("a room that one comes into appears, one that one leaves goes, without a word when it was one's own wish", () => {
  const room = server.rooms.get(6)!;
  room.members.add(ADA.id);
  server.tell(ADA, { event: "room.joined", room: server.view(room, ADA) });
  expect(tab.app.rooms.public.map((other) => other.name)).toEqual(["elsewhere", "Garden", "general"]);
  server.leave(ADA, 6, "left");
  expect(tab.app.rooms.get(6)).toBeUndefined();
  expect(tab.app.rooms.removedFrom).toBeNull();
});

test("a room as it was before what was heard meanwhile does not take the numbers back", () => {
  server.post(BOB, 1, "one");
  const old = server.view(server.rooms.get(1)!, ADA);
  server.post(BOB, 1, "two");
  server.tell(ADA, { event: "room.joined", room: old });
  expect(tab.app.rooms.get(1)).toMatchObject({ seq: 2, unread: 2 });
});

test("the hello's numbers are the truth after a lost connection", async () => {
  server.post(BOB, 1, "one");
  server.cut();
  for (let count = 0; count < 4; count += 1) server.post(BOB, 1, "more");
  server.rooms.get(1)?.read.set(ADA.id, 3);
  await clock.advance(1000);
  expect(tab.app.rooms.get(1)).toMatchObject({ seq: 5, read: 3, unread: 2 });
});
