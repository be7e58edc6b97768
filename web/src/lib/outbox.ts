/** Messages that are not acknowledged yet: their shape, where they are kept, and which of them to show. */
import { isText, type Message } from "./types";

export interface Pending {
  readonly nonce: string;
  /** Whose it is: another person may use the same browser. */
  readonly user: number;
  readonly room: number;
  readonly text: string;
  /** When Enter was pressed, in milliseconds since 1970. */
  readonly created_at: number;
  /** Its place among the others: the lowest is sent first. */
  readonly order: number;
  /**
   * `waiting` to be sent, `sending`, `sent` (acknowledged, and about to stand in the timeline), `failed` for good, or `old`:
   * so long unsent that the person is asked first.
   */
  readonly state: "waiting" | "sending" | "sent" | "failed" | "old";
  /** Why it failed. */
  readonly problem?: { code: string; text: string };
  /** Waiting until then because the server asked for it, in milliseconds since 1970. */
  readonly until?: number;
  /** The room's newest seq when it was first sent; left out while it never was. */
  readonly after?: number;
  /** What it became, once sent. */
  readonly message?: Message;
}

export interface OutboxStore {
  /** Does it survive closing the browser? */
  readonly persistent: boolean;
  all(user: number): Promise<Pending[]>;
  put(pending: Pending): Promise<void>;
  delete(nonce: string): Promise<void>;
  clear(): Promise<void>;
}

/** For browsers that keep nothing, as in some private windows: lost when the page goes. */
export function memoryStore(kept: readonly Pending[] = []): OutboxStore {
  const items = new Map(kept.map((pending) => [pending.nonce, pending]));
  return {
    persistent: false,
    all: (user) => Promise.resolve([...items.values()].filter((pending) => pending.user === user)),
    put(pending) {
      items.set(pending.nonce, pending);
      return Promise.resolve();
    },
    delete(nonce) {
      items.delete(nonce);
      return Promise.resolve();
    },
    clear() {
      items.clear();
      return Promise.resolve();
    },
  };
}

/** Characters as the server counts them: code points. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Half characters, which a cut in the middle of an emoji leaves, cannot be stored: a sign takes their place. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** Why a text cannot be sent, as a sentence; null when it can. */
export function refusal(text: string, limit: number): string | null {
  if (text.trim() === "") return "A message needs some text.";
  const count = characters(text);
  if (count > limit) return `A message may have ${limit.toLocaleString("en")} characters; this one has ${count.toLocaleString("en")}.`;
  return null;
}

/**
 * Those of `pending` that do not stand among the room's messages yet. A message whose acknowledgement was lost can come
 * back as an ordinary event, without its nonce: until the repeat is answered, one of the same text that came after it was
 * first sent is taken for it, so that it never stands there twice.
 */
export function unseen(pending: readonly Pending[], messages: readonly Message[], me: number): Pending[] {
  const taken = new Set(pending.flatMap((item) => (item.message ? [item.message.id] : [])));
  const seen = new Set(messages.map((message) => message.id));
  return pending.filter((item) => {
    if (item.message) return !seen.has(item.message.id);
    if (item.after === undefined || item.state === "failed" || item.state === "old") return true;
    const { after } = item;
    const twin = messages.find(
      (message) =>
        message.seq > after && message.sender.id === me && isText(message) && message.text === item.text && !taken.has(message.id),
    );
    if (twin) taken.add(twin.id);
    return twin === undefined;
  });
}
