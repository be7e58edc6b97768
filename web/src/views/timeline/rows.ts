/** The rows of a timeline, from messages: days cut, messages of one person grouped, comings and goings folded, the new line placed. */
import type { Pending } from "../../lib/outbox";
import { isText, type Message } from "../../lib/types";
import { dayKey } from "../times";
import { folds } from "./sentences";

export type Row =
  | { kind: "day"; key: string; at: string }
  | { kind: "new"; key: string }
  | { kind: "message"; key: string; message: Message; head: boolean }
  | { kind: "line"; key: string; messages: readonly Message[] }
  | { kind: "pending"; key: string; pending: Pending; head: boolean };

// Who writes on within this time needs no new name and picture.
const GROUP = 5 * 60_000;

export interface Given {
  /** Ascending by seq. */
  messages: readonly Message[];
  /** Own messages on their way, below the others. */
  pending: readonly Pending[];
  /** The new line stands before the first text of somebody else after this seq; null for none. */
  newLine: number | null;
  me: number;
  /** The key of a message's row, which it had while it was pending. */
  keyOf: (message: Message) => string;
}

export function rowsOf({ messages, pending, newLine, me, keyOf }: Given): Row[] {
  const rows: Row[] = [];
  let day = "";
  let last: { sender: number; at: number } | null = null;
  let newPlaced = newLine === null;

  const days = new Set<string>();
  // A day begins a second time when the server's clock was set back over midnight: messages lie in the order of their seq.
  const begin = (at: string, first: string): void => {
    const key = dayKey(at);
    if (key === day) return;
    rows.push({ kind: "day", key: days.has(key) ? `day ${key} again at ${first}` : `day ${key}`, at });
    days.add(key);
    day = key;
    last = null;
  };
  const heads = (sender: number, at: number): boolean => {
    const head = last === null || last.sender !== sender || at - last.at >= GROUP;
    last = { sender, at };
    return head;
  };

  for (const message of messages) {
    begin(message.at, String(message.id));
    if (!isText(message)) {
      const before = rows.at(-1);
      if (before?.kind === "line" && folds(message.kind) && before.messages[0]?.kind === message.kind) {
        rows[rows.length - 1] = { ...before, messages: [...before.messages, message] };
      } else rows.push({ kind: "line", key: `line ${message.id}`, messages: [message] });
      last = null;
      continue;
    }
    if (!newPlaced && newLine !== null && message.seq > newLine && message.sender.id !== me) {
      rows.push({ kind: "new", key: "new" });
      newPlaced = true;
      last = null;
    }
    rows.push({ kind: "message", key: keyOf(message), message, head: heads(message.sender.id, Date.parse(message.at)) });
  }
  for (const one of pending) {
    begin(new Date(one.created_at).toISOString(), one.nonce);
    rows.push({ kind: "pending", key: one.nonce, pending: one, head: heads(me, one.created_at) });
  }
  return rows;
}
