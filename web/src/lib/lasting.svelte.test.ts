import { flushSync } from "svelte";
import { beforeEach, expect, test } from "vitest";
import { FakeClock, settle } from "./testing/clock";
import { ADA, BOB, FakeServer } from "./testing/server";
import { Browser, type Tab } from "./testing/tab";

let server: FakeServer;
let tab: Tab;

beforeEach(async () => {
  const clock = new FakeClock();
  server = new FakeServer(clock);
  server.room(1, "general", [ADA, BOB]);
  tab = await new Browser(clock, server).tab(ADA);
});

test("a timeline that was first opened in the course of an effect goes on when that effect is gone", async () => {
  const end = $effect.root(() => {
    $effect(() => tab.app.router.go({ name: "room", room: 1 }));
  });
  flushSync();
  await settle();
  end();
  const { current } = tab.app.timelines;
  server.frozen = true;
  expect(current?.send("hello")).toBeNull();
  expect(current?.pending.map((pending) => pending.text)).toEqual(["hello"]);
});

test("a component that shows a timeline is told of each message, once", async () => {
  tab.app.router.go({ name: "room", room: 1 });
  await settle();
  const shown: string[][] = [];
  const end = $effect.root(() => {
    $effect(() => {
      const timeline = tab.app.timelines.current;
      shown.push([...(timeline?.messages ?? []), ...(timeline?.pending ?? [])].map((each) => each.text));
    });
  });
  flushSync();
  server.post(BOB, 1, "hi");
  flushSync();
  tab.app.timelines.current?.send("hello");
  flushSync();
  await settle();
  flushSync();
  end();
  expect(shown[0]).toEqual([]);
  expect(shown[1]).toEqual(["hi"]);
  for (const texts of shown.slice(2)) expect(texts).toEqual(["hi", "hello"]);
});

test("members that were first asked for in a derived value follow presence after it", async () => {
  const end = $effect.root(() => {
    const members = $derived(tab.app.members(1));
    $effect(() => void members.list);
  });
  flushSync();
  end();
  const members = tab.app.members(1);
  await members.load();
  server.tell(ADA, { event: "presence.changed", away: [ADA.id] });
  expect(members.list.map((user) => user.username)).toEqual(["bob", "ada"]);
});
