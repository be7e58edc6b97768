import fc from "fast-check";
import { expect, test } from "vitest";
import { RoomLog } from "./log";
import type { ChangedEvent, HistoryPage, HistoryPlace, Message, PostedEvent, SyncPage } from "./types";
import { versionOf } from "./types";

const ADA = { id: 1, username: "ada", name: "Ada Lovelace" };

/** A room as the server keeps it: a list of changes, from which every reply and event follows. */
class Server {
  readonly events: (PostedEvent | ChangedEvent)[] = [];

  post(): void {
    const seq = this.seq + 1;
    const message: Message = { id: 1000 + seq, room: 1, seq, sender: ADA, text: `said at ${seq}`, at: "2026-11-24T09:00:00Z" };
    this.events.push({ event: "message.posted", room: 1, seq, message });
  }

  /** Edits the message that `pick` points at, or posts when there is none. */
  edit(pick: number): void {
    const posts = this.messages();
    const target = posts[pick % Math.max(1, posts.length)];
    if (target === undefined) return this.post();
    const seq = this.seq + 1;
    this.events.push({ event: "message.changed", room: 1, seq, message: { ...target, text: `edited at ${seq}`, changed: seq } });
  }

  get seq(): number {
    return this.events.length;
  }

  /** All messages as they were when the room's newest seq was `asOf`, oldest first. */
  messages(asOf = this.seq): Message[] {
    const found = new Map<number, Message>();
    for (const event of this.events.slice(0, asOf)) found.set(event.message.id, event.message);
    return [...found.values()].sort((one, other) => one.seq - other.seq);
  }

  sync(after: number, limit: number): SyncPage {
    const changes = this.messages()
      .filter((message) => versionOf(message) > after)
      .sort((one, other) => versionOf(one) - versionOf(other));
    const page = changes.slice(0, limit);
    const more = page.length < changes.length;
    const last = page.at(-1);
    return { room: 1, from: after, to: more && last ? versionOf(last) : this.seq, more, messages: page };
  }

  list(place: HistoryPlace, limit: number, asOf = this.seq): HistoryPage {
    const all = this.messages(asOf);
    let start = Math.max(0, all.length - limit);
    if (place.before !== undefined) {
      const end = all.filter((message) => message.seq < (place.before ?? 0)).length;
      const messages = all.slice(Math.max(0, end - limit), end);
      return { messages, older: end > limit, newer: end < all.length, seq: asOf };
    }
    if (place.after !== undefined) start = all.filter((message) => message.seq <= (place.after ?? 0)).length;
    if (place.around !== undefined) start = Math.max(0, all.filter((message) => message.seq < (place.around ?? 0)).length - (limit >> 1));
    const messages = all.slice(start, start + limit);
    return { messages, older: start > 0, newer: start + limit < all.length, seq: asOf };
  }
}

function serverWith(posts: number): Server {
  const server = new Server();
  for (let count = 0; count < posts; count += 1) server.post();
  return server;
}

function event(server: Server, seq: number): PostedEvent | ChangedEvent {
  const found = server.events[seq - 1];
  if (found === undefined) throw new Error(`no event ${seq}`);
  return found;
}

function seqs(log: RoomLog): number[] {
  return (log.live?.messages ?? []).map((message) => message.seq);
}

test("the newest page sets the cursor, and the next event goes on from there", () => {
  const server = serverWith(5);
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 3));
  expect(log.cursor).toBe(5);
  expect(seqs(log)).toEqual([3, 4, 5]);
  server.post();
  expect(log.hear(event(server, 6))).toBe(true);
  expect(seqs(log)).toEqual([3, 4, 5, 6]);
  expect(log.behind).toBe(false);
});

test("an old event changes nothing", () => {
  const server = serverWith(5);
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 3));
  const before = log.live;
  expect(log.hear(event(server, 4))).toBe(false);
  expect(log.hear(event(server, 1))).toBe(false);
  expect(log.live).toBe(before);
});

test("an event after a gap waits until the sync has filled it", () => {
  const server = serverWith(3);
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 10));
  for (let count = 0; count < 4; count += 1) server.post();
  expect(log.hear(event(server, 7))).toBe(false);
  expect(log.behind).toBe(true);
  expect(seqs(log)).toEqual([1, 2, 3]);
  const late = server.sync(3, 100);
  expect(log.applySync({ ...late, to: 5, messages: late.messages.slice(0, 2) })).toBe(true);
  expect(log.cursor).toBe(5);
  expect(log.hear(event(server, 6))).toBe(true);
  expect(log.cursor).toBe(7);
  expect(seqs(log)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(log.behind).toBe(false);
});

test("events that come before the first page are kept for it", () => {
  const server = serverWith(3);
  const page = server.list({}, 10);
  server.post();
  const log = new RoomLog();
  expect(log.hear(event(server, 4))).toBe(false);
  expect(log.behind).toBe(false);
  log.applyPage({}, page);
  expect(seqs(log)).toEqual([1, 2, 3, 4]);
});

test("a change replaces the message and keeps its place", () => {
  const server = serverWith(3);
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 10));
  server.edit(0);
  log.hear(event(server, 4));
  expect(log.live?.messages.map((message) => message.text)).toEqual(["edited at 4", "said at 2", "said at 3"]);
  expect(log.cursor).toBe(4);
});

test("a sync from further on than the cursor is not used, and the log stays behind", () => {
  const server = serverWith(9);
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 10, 4));
  expect(log.applySync(server.sync(6, 100))).toBe(false);
  expect(log.cursor).toBe(4);
  expect(log.behind).toBe(true);
});

test("older pages join what is there, and the log ends at its first message", () => {
  const server = serverWith(7);
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 3));
  log.applyPage({ before: 5 }, server.list({ before: 5 }, 3));
  expect(log.live).toMatchObject({ from: 2, to: 7 });
  log.applyPage({ before: 2 }, server.list({ before: 2 }, 3));
  expect(log.live).toMatchObject({ from: 0, to: 7 });
  expect(seqs(log)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("a page around an old message is a slice of its own until the pages between are loaded", () => {
  const server = serverWith(30);
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 5));
  log.applyPage({ around: 10 }, server.list({ around: 10 }, 5));
  const apart = log.at(10);
  expect(apart).not.toBe(log.live);
  expect(apart?.messages.map((message) => message.seq)).toEqual([8, 9, 10, 11, 12]);
  for (let after = 12; log.at(10) !== log.live; after = log.at(10)?.to ?? 99) log.applyPage({ after }, server.list({ after }, 5));
  expect(seqs(log)).toEqual(Array.from({ length: 23 }, (_, index) => index + 8));
});

test("a page that was read before a change we already heard of does not bring the old text back for good", () => {
  const server = serverWith(20);
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 5));
  const stale = server.list({ before: 16 }, 5);
  server.edit(11);
  log.hear(event(server, 21));
  log.applyPage({ before: 16 }, stale);
  expect(log.behind).toBe(true);
  log.applySync(server.sync(log.cursor ?? 0, 100));
  expect(log.behind).toBe(false);
  expect(log.at(12)?.messages.find((message) => message.seq === 12)?.text).toBe("edited at 21");
});

test("trimming keeps the newest messages and forgets the other slices", () => {
  const server = serverWith(30);
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 10));
  log.applyPage({ around: 5 }, server.list({ around: 5 }, 4));
  log.trim(4);
  expect(log.at(5)).toBeNull();
  expect(log.live).toMatchObject({ from: 27, to: 30 });
  expect(seqs(log)).toEqual([27, 28, 29, 30]);
});

test("an empty room has a slice, to which the first message is added", () => {
  const server = new Server();
  const log = new RoomLog();
  log.applyPage({}, server.list({}, 10));
  expect(log.cursor).toBe(0);
  server.post();
  log.hear(event(server, 1));
  expect(seqs(log)).toEqual([1]);
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "post" as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("edit" as const), pick: fc.nat(200) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("hear" as const), pick: fc.nat(200) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("sync" as const), limit: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("healed" as const), pick: fc.nat(200) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("page" as const),
      place: fc.constantFrom("newest" as const, "older" as const, "newer" as const, "around" as const),
      pick: fc.nat(200),
      stale: fc.nat(6),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "trim" as const }) },
);

test("whatever order events, syncs and pages come in, repeated or lost, the log ends as the server has it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const server = serverWith(3);
      const log = new RoomLog();
      log.applyPage({}, server.list({}, 3));
      for (const now of steps) {
        if (now.do === "post") server.post();
        else if (now.do === "edit") server.edit(now.pick);
        else if (now.do === "hear") log.hear(event(server, (now.pick % server.seq) + 1));
        else if (now.do === "sync") log.applySync(server.sync(log.cursor ?? 0, now.limit));
        else if (now.do === "healed") log.applySync(server.sync(now.pick % server.seq, 100));
        else if (now.do === "trim") log.trim(3);
        else {
          const anchor = log.at((now.pick % server.seq) + 1) ?? log.live;
          const place: HistoryPlace =
            now.place === "newest" || anchor === null
              ? {}
              : now.place === "older"
                ? { before: anchor.from }
                : now.place === "newer"
                  ? { after: anchor.to }
                  : { around: (now.pick % server.seq) + 1 };
          const asOf = Math.max(1, server.seq - now.stale);
          // No answer can be older than what made the client ask.
          if ((place.after ?? 0) <= asOf && (place.before ?? 0) <= asOf + 1) log.applyPage(place, server.list(place, 3, asOf));
        }
        for (const list of slices(log, server.seq)) expect(list).toEqual([...list].sort((one, other) => one - other));
      }
      log.expect(server.seq);
      for (let turn = 0; log.behind; turn += 1) {
        log.applySync(server.sync(log.cursor ?? 0, 3));
        expect(turn).toBeLessThan(500);
      }
      log.applyPage({}, server.list({}, 3));
      const truth = server.messages();
      for (let seq = 1; seq <= server.seq; seq += 1) {
        const slice = log.at(seq);
        if (slice === null) continue;
        expect(slice.messages).toEqual(truth.filter((message) => slice.from <= message.seq && message.seq <= slice.to));
      }
      expect(log.live?.to).toBe(server.seq);
    }),
    { numRuns: 400 },
  );
});

/** The seqs of the messages of every slice. */
function slices(log: RoomLog, upTo: number): number[][] {
  const found = new Set<number[]>();
  for (let seq = 1; seq <= upTo; seq += 1) {
    const slice = log.at(seq);
    if (slice) found.add(slice.messages.map((message) => message.seq));
  }
  return [...found];
}
