import { expect, test } from "vitest";
import type { Pending } from "../../lib/outbox";
import type { Message } from "../../lib/types";
import { rowsOf, type Row } from "./rows";
import { eventLine } from "./sentences";

const ADA = { id: 1, username: "ada", name: "Ada" };
const BOB = { id: 2, username: "bob", name: "Bob" };
const noon = new Date(2026, 10, 24, 12, 0).getTime();
let seq = 0;

function message(sender: typeof ADA, minute: number, given: Partial<Message> = {}): Message {
  seq += 1;
  return { id: seq, room: 1, seq, sender, text: "x", at: new Date(noon + minute * 60_000).toISOString(), ...given };
}

function rows(messages: Message[], given: { newLine?: number | null; pending?: Pending[] } = {}): Row[] {
  return rowsOf({ messages, pending: given.pending ?? [], newLine: given.newLine ?? null, me: ADA.id, keyOf: ({ id }) => String(id) });
}

const kinds = (found: Row[]): string[] => found.map((row) => (row.kind === "message" ? (row.head ? "head" : "more") : row.kind));

test("messages of one person within five minutes go together, and a day begins anew", () => {
  const day = 24 * 60;
  expect(kinds(rows([message(BOB, 0), message(BOB, 1), message(ADA, 2), message(BOB, 3), message(BOB, 8), message(BOB, day)]))).toEqual([
    "day", "head", "more", "head", "head", "head", "day", "head",
  ]);
});

test("a clock that was set back over midnight gives no two rows the same key", () => {
  const day = 24 * 60;
  const found = rows([message(BOB, 0), message(BOB, -day), message(BOB, 1)]);
  expect(kinds(found)).toEqual(["day", "head", "day", "head", "day", "head"]);
  expect(new Set(found.map((row) => row.key)).size).toBe(found.length);
});

test("comings one after the other are one line, and break a group", () => {
  const found = rows([message(BOB, 0), message(ADA, 1, { kind: "joined" }), message(BOB, 1, { kind: "joined" }), message(BOB, 2), message(BOB, 3, { kind: "topic" })]);
  expect(kinds(found)).toEqual(["day", "head", "line", "head", "line"]);
});

test("the new line stands before the first text of somebody else after the read position", () => {
  const messages = [message(BOB, 0), message(ADA, 1), message(BOB, 1, { kind: "joined" }), message(BOB, 2), message(BOB, 3)];
  expect(kinds(rows(messages, { newLine: messages[0]?.seq ?? 0 }))).toEqual(["day", "head", "head", "line", "new", "head", "more"]);
  expect(kinds(rows(messages, { newLine: seq }))).not.toContain("new");
});

test("what is on its way stands below, in one's own group", () => {
  const pending = { nonce: "n", user: 1, room: 1, text: "y", created_at: noon + 60_000, order: 1, state: "waiting" } as const;
  const found = rows([message(ADA, 0)], { pending: [pending] });
  expect(found.at(-1)).toMatchObject({ kind: "pending", key: "n", head: false });
});

test("several who came are named up to three, then counted", () => {
  const said = (count: number): string => {
    const names = ["Ada", "Bob", "Cyd", "Dan", "Eve"].slice(0, count).map((name, id) => message({ id, username: name, name }, 0, { kind: "joined" }));
    return (eventLine(names, ({ name }) => name)?.phrases ?? []).map((phrase) => (typeof phrase === "string" ? phrase : phrase.name)).join("");
  };
  expect(said(1)).toBe("Ada joined");
  expect(said(2)).toBe("Ada and Bob joined");
  expect(said(3)).toBe("Ada, Bob and Cyd joined");
  expect(said(5)).toBe("Ada, Bob and 3 others joined");
});

test("a kind that this client does not know is left out", () => {
  expect(eventLine([message(ADA, 0, { kind: "pinned" })], ({ name }) => name)).toBeNull();
});
