import { beforeEach, expect, test } from "vitest";
import { waitBefore } from "./backoff";
import type { ProblemError } from "./problem";
import { FakeClock, settle } from "./testing/clock";
import { ADA, BOB, FakeServer } from "./testing/server";
import { Browser } from "./testing/tab";

let clock: FakeClock;
let server: FakeServer;
let browser: Browser;

beforeEach(() => {
  clock = new FakeClock();
  server = new FakeServer(clock);
  server.room(1, "general", [ADA, BOB]);
  browser = new Browser(clock, server);
});

async function problemOf(work: Promise<unknown>): Promise<ProblemError> {
  return work.then(
    () => Promise.reject(new Error("it was not refused")),
    (problem: ProblemError) => problem,
  );
}

function pings(): number {
  return server.heard.filter((command) => command.do === "ping").length;
}

test("the waits double up to 30 seconds, and a random part of each is taken", () => {
  const longest = (tries: number): number => waitBefore({ code: 1006, tries }, () => 1);
  expect([0, 1, 2, 3, 6, 7, 50].map(longest)).toEqual([500, 1000, 2000, 4000, 30_000, 30_000, 30_000]);
  expect(waitBefore({ code: 1006, tries: 3 }, () => 0)).toBe(0);
  expect(waitBefore({ code: 1012, tries: 3 }, () => 0.5)).toBe(2500);
  expect(waitBefore({ code: 1012, tries: 0, reconnectIn: 3 }, () => 0.5)).toBe(3250);
  expect(waitBefore({ code: 4429, tries: 0 }, () => 0)).toBe(15_000);
  expect(waitBefore({ code: 4408, tries: 0 }, () => 0.5)).toBe(250);
  expect(waitBefore({ code: 1009, tries: 0 }, () => 0)).toBe(30_000);
});

test("each reply finds its command, whatever order they come in", async () => {
  const { app } = await browser.tab(ADA);
  server.hold();
  const first = app.ask("room.get", { room: 1 });
  const second = app.ask("message.list", { room: 1, limit: 5 });
  await settle();
  server.release((frames) => frames.reverse());
  expect((await first).room.name).toBe("general");
  expect((await second).messages).toEqual([]);
});

test("a refusal carries the server's sentence, its field and the time to wait", async () => {
  const { app } = await browser.tab(ADA);
  server.fault = () => ({ refuse: { code: "invalid", text: "That name is taken.", field: "name", retry_after: 2 } });
  const problem = await problemOf(app.ask("room.update", { room: 1, name: "general" }));
  expect(problem).toMatchObject({ code: "invalid", text: "That name is taken.", field: "name", retryAfter: 2, passing: true });
  server.fault = () => null;
  expect((await app.ask("room.get", { room: 1 })).room.id).toBe(1);
});

test("without a connection a command is refused at once", async () => {
  const { app } = await browser.tab(ADA);
  server.cut();
  expect(await problemOf(app.ask("ping", {}))).toMatchObject({ code: "disconnected", passing: true });
});

test("commands that are under way when the connection breaks are refused", async () => {
  const { app } = await browser.tab(ADA);
  server.fault = () => "lose reply";
  const asked = problemOf(app.ask("room.get", { room: 1 }));
  await settle();
  server.cut();
  expect((await asked).code).toBe("disconnected");
});

test("a command that gets no answer is given up after 15 seconds", async () => {
  const { app } = await browser.tab(ADA);
  server.fault = (command) => (command.do === "room.get" ? "ignore" : null);
  const asked = problemOf(app.ask("room.get", { room: 1 }));
  await clock.advance(15_000);
  expect(await asked).toMatchObject({ code: "timeout", passing: true });
});

test("more than a frame may hold is refused before it is sent", async () => {
  const { app } = await browser.tab(ADA);
  expect((await problemOf(app.ask("room.browse", { query: "ä".repeat(40_000) }))).code).toBe("too_large");
  expect(app.connection.state.name).toBe("open");
});

test("a lost connection comes back by itself, and says when", async () => {
  const { app } = await browser.tab(ADA);
  await clock.advance(6000);
  server.cut();
  expect(app.connection.state).toEqual({ name: "waiting", until: clock.now() + 250, restarting: false });
  expect(app.connection.troubled).toBe(true);
  await clock.advance(250);
  expect(app.connection.state.name).toBe("open");
  expect(app.connection.troubled).toBe(false);
});

test("a connection that breaks as soon as it is open does not begin with short waits again", async () => {
  const { app } = await browser.tab(ADA);
  for (let count = 0; count < 4; count += 1) {
    server.cut();
    await clock.advance(4000);
  }
  server.cut();
  expect(app.connection.state).toMatchObject({ until: clock.now() + 0.5 * 8000 });
  await clock.advance(9000);
  server.cut();
  expect(app.connection.state).toMatchObject({ until: clock.now() + 250 });
});

test("after a bye the wait is the one the server asked for", async () => {
  const { app } = await browser.tab(ADA);
  await clock.advance(6000);
  server.tell(ADA, { event: "bye", reconnect_in: 3 });
  server.cut(undefined, 1012);
  expect(app.connection.state).toEqual({ name: "waiting", until: clock.now() + 3250, restarting: true });
});

test("retryNow does not wait", async () => {
  const { app } = await browser.tab(ADA);
  server.cut(undefined, 4429);
  expect(app.connection.state.name).toBe("waiting");
  app.retryNow();
  await settle();
  expect(app.connection.state.name).toBe("open");
});

test("25 seconds of silence are answered by a ping, and 10 more without a frame by a new connection", async () => {
  const { app } = await browser.tab(ADA);
  await clock.advance(24_000);
  expect(pings()).toBe(0);
  await clock.advance(1000);
  expect(pings()).toBe(1);
  await clock.advance(10_000);
  expect(app.connection.state.name).toBe("open");
  server.fault = () => "ignore";
  const tries = server.tries;
  // Last heard at 25 s, asked at 50 s, given up at 60 s.
  await clock.advance(24_500);
  expect(server.tries).toBe(tries);
  await clock.advance(1000);
  expect(server.tries).toBe(tries + 1);
});

test("a hello that does not come within 15 seconds is not waited for", async () => {
  server.frozen = true;
  const { app } = await browser.tab(ADA);
  expect(app.connection.state.name).toBe("connecting");
  expect(app.connection.troubled).toBe(false);
  await clock.advance(15_000);
  server.frozen = false;
  expect(app.connection.troubled).toBe(true);
  await clock.advance(500);
  expect(app.connection.state.name).toBe("open");
});

test("a machine that wakes up asks for a sign of life, and does not wait long for it", async () => {
  const { app, page } = await browser.tab(ADA);
  clock.sleep(3_600_000);
  server.frozen = true;
  page.tell("shown");
  for (const wait of [2000, 2000, 900]) {
    await clock.advance(wait);
    page.tell("shown");
  }
  expect(app.connection.state.name).toBe("open");
  await clock.advance(100);
  expect(app.connection.state.name).toBe("waiting");
});

test("without a network it is offline, keeps trying, and tries at once when the network is back", async () => {
  const { app, page } = await browser.tab(ADA);
  server.closedWith = 1006;
  page.tell("offline");
  server.cut();
  expect(app.connection.state.name).toBe("offline");
  await clock.advance(60_000);
  expect(server.tries).toBeGreaterThan(4);
  expect(app.connection.state.name).toBe("offline");
  server.closedWith = null;
  page.tell("online");
  await settle();
  expect(app.connection.state.name).toBe("open");
});

test("coming into view does not cut a pause short that the server asked for", async () => {
  const { app, page } = await browser.tab(ADA);
  server.cut(undefined, 4429);
  page.tell("shown");
  await settle();
  expect(app.connection.state.name).toBe("waiting");
});

test("the end of the session leads to the sign-in page, and nothing is tried any more", async () => {
  const { app, left } = await browser.tab(ADA);
  server.cut(undefined, 4401);
  expect(app.connection.state.name).toBe("signed_out");
  await clock.advance(60_000);
  expect(server.tries).toBe(1);
  expect(left).toEqual(["/sign-in"]);
});

test("a socket that is not opened because there is no session leads to the sign-in page", async () => {
  server.sessions.clear();
  const { app, left } = await browser.tab(ADA);
  await settle();
  expect(app.connection.state.name).toBe("signed_out");
  expect(left).toEqual(["/sign-in"]);
});

test("a server that refuses for good is not asked again, except by the person", async () => {
  const { app } = await browser.tab(ADA);
  server.closedWith = 4403;
  server.cut(undefined, 4403);
  await clock.advance(60_000);
  expect(app.connection.state.name).toBe("refused");
  expect(server.tries).toBe(1);
  server.closedWith = null;
  app.retryNow();
  await settle();
  expect(app.connection.state.name).toBe("open");
});
