/** Sends what the person wrote exactly once and in order, however often the connection is lost or the page closed. */
import type { Environment, Tell } from "./environment";
import { memoryStore, type OutboxStore, type Pending } from "./outbox";
import { Pauses } from "./pauses";
import { asProblem, ProblemError } from "./problem";
import type { Ask, Message } from "./types";

const TOO_OLD = 24 * 3600 * 1000;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;
/** So many sent messages keep their nonce, for rows that must not be built anew. */
const KEYS = 500;

/** What tabs tell each other. */
type News = { put: Pending } | { gone: string; user: number; message?: Message } | { cleared: true };

interface Needed extends Pick<Environment, "clock" | "random" | "uuid" | "exclusively" | "channel"> {
  ask: Ask;
  connected(): boolean;
  /** The newest seq that is known of a room. */
  newest(room: number): number;
  /** A message of ours is stored. True when it stands in its timeline already, or nobody shows that room. */
  delivered(message: Message): boolean;
}

export class Outbox {
  /** Everything of this person's, in the order of sending. Replaced, never altered. */
  list: readonly Pending[] = $state.raw([]);
  /** False when the browser keeps nothing: then messages live only as long as the page. */
  persistent = $state(true);
  /** How many are not sent. */
  readonly count: number = $derived(this.list.filter((pending) => pending.state !== "sent").length);

  readonly #needed: Needed;
  #store: OutboxStore = memoryStore();
  #user = 0;
  readonly #nonces = new Map<number, string>();
  readonly #draining = new Set<number>();
  readonly #again = new Set<number>();
  /** Nonces of those that are being stored right now. */
  readonly #writing = new Set<string>();
  readonly #pauses: Pauses;
  readonly #tellTabs: Tell;

  constructor(needed: Needed) {
    this.#needed = needed;
    this.#pauses = new Pauses(needed.clock);
    this.#tellTabs = needed.channel("roomful-outbox", (news) => this.#hearTab(news as News));
  }

  /** Takes up what was left from before. */
  async open(store: OutboxStore, user: number): Promise<void> {
    this.#store = store;
    this.#user = user;
    this.persistent = store.persistent;
    const kept = await this.#kept();
    const known = new Set(kept.map((pending) => pending.nonce));
    this.list = [...kept, ...this.list.filter((pending) => pending.user === user && !known.has(pending.nonce))].sort(byOrder);
    this.drain();
  }

  of(room: number): Pending[] {
    return this.list.filter((pending) => pending.room === room);
  }

  /** The nonce with which this message was sent from this browser. */
  nonceOf(message: number): string | undefined {
    return this.#nonces.get(message);
  }

  /** Kept before the first byte leaves. */
  async post(room: number, text: string): Promise<void> {
    await this.#keep({ nonce: this.#needed.uuid(), user: this.#user, room, text, ...this.#stamp(), state: "waiting" });
  }

  /** Tries a failed or old one again, as the newest. */
  async sendAgain({ nonce, user, room, text, problem, after }: Pending): Promise<void> {
    const conflict = problem?.code === "nonce_conflict";
    const tried = after === undefined || conflict ? {} : { after };
    const pending: Pending = { nonce: conflict ? this.#needed.uuid() : nonce, user, room, text, ...this.#stamp(), ...tried, state: "waiting" };
    if (conflict) await this.discard(nonce);
    await this.#keep(pending);
  }

  async discard(nonce: string): Promise<void> {
    this.#drop(nonce);
    await this.#change((store) => store.delete(nonce));
    this.#tell({ gone: nonce, user: this.#user });
  }

  /** Sends all that waits: call it when the connection is there. */
  drain(): void {
    this.#pauses.wake();
    const unsent = this.list.filter((pending) => pending.state === "waiting" || pending.state === "sending");
    for (const room of new Set(unsent.map((pending) => pending.room))) void this.#drainRoom(room);
  }

  /** The server says which of our messages became which: the news for other connections than the one that sent it. */
  async hear(nonce: string, message: Message): Promise<void> {
    await this.#sent(nonce, message);
    this.#tell({ gone: nonce, user: this.#user, message });
  }

  /** The timeline of a room reaches this seq: what is sent and before it stands there now. */
  settle(room: number, cursor: number): void {
    const settled = (pending: Pending): boolean => pending.room === room && pending.message !== undefined && pending.message.seq <= cursor;
    if (this.list.some(settled)) this.list = this.list.filter((pending) => !settled(pending));
  }

  /** Forgets everything, of everybody. Gives back what was not sent, for restore(). */
  async clear(): Promise<readonly Pending[]> {
    const unsent = this.list.filter((pending) => pending.state !== "sent");
    this.list = [];
    await this.#change((store) => store.clear());
    this.#tell({ cleared: true });
    return unsent;
  }

  /** Takes back what clear() gave. */
  async restore(unsent: readonly Pending[]): Promise<void> {
    for (const pending of unsent) await this.#keep(pending.state === "sending" ? { ...pending, state: "waiting" } : pending);
  }

  async #drainRoom(room: number): Promise<void> {
    this.#again.add(room);
    if (this.#draining.has(room)) return;
    this.#draining.add(room);
    try {
      while (this.#again.delete(room)) {
        // One message of a room is under way at a time, whatever tab it was written in: that keeps their order.
        await this.#needed.exclusively(`roomful-outbox-${this.#user}-${room}`, async () => {
          let failures = 0;
          for (let next = await this.#next(room); next !== null; next = await this.#next(room)) {
            const problem = await this.#send(next);
            failures = problem === null ? 0 : failures + 1;
            if (problem !== null) await this.#pause(next, problem, failures);
          }
        });
      }
    } finally {
      this.#draining.delete(room);
    }
  }

  /** The first that waits, as it is kept now: another tab may have sent what this one still shows. */
  async #next(room: number): Promise<Pending | null> {
    if (!this.#needed.connected()) return null;
    const kept = (await this.#kept()).filter((pending) => pending.room === room).sort(byOrder);
    for (const pending of kept) if (pending.state === "old") this.#show(pending);
    // Another tab may have sent or deleted what this one still shows; its news can come in any order.
    const nonces = new Set([...kept.map((pending) => pending.nonce), ...this.#writing]);
    this.list = this.list.filter((pending) => pending.room !== room || pending.state === "sent" || nonces.has(pending.nonce));
    return kept.find((pending) => pending.state === "waiting") ?? null;
  }

  /** What the store holds, none of it under way. */
  async #kept(): Promise<Pending[]> {
    const now = this.#needed.clock.now();
    const kept = await this.#change((store) => store.all(this.#user));
    return kept.map((pending) => {
      if (pending.state !== "waiting" && pending.state !== "sending") return pending;
      return { ...pending, state: now - pending.created_at > TOO_OLD ? "old" : "waiting" };
    });
  }

  /** Null when it is settled, for good or bad; else why it has to be tried again. */
  async #send(pending: Pending): Promise<ProblemError | null> {
    const { room, nonce, text } = pending;
    const trying: Pending = { ...pending, state: "sending", after: pending.after ?? this.#needed.newest(room) };
    this.#show(trying);
    if (pending.after === undefined) {
      await this.#change((store) => store.put(trying));
      this.#tell({ put: trying });
    }
    let message: Message;
    try {
      ({ message } = await this.#needed.ask("message.post", { room, nonce, text }));
    } catch (error) {
      const problem = asProblem(error);
      const now = this.list.find((item) => item.nonce === nonce);
      if (now === undefined || now.state === "sent") {
        // Taken back while it was under way, or another connection was told that it is stored.
        await this.#change((store) => store.delete(nonce));
        return null;
      }
      if (problem.passing || problem.code === "not_signed_in") {
        this.#show({ ...trying, state: "waiting" });
        return problem;
      }
      await this.#keep({ ...trying, state: "failed", problem: { code: problem.code, text: problem.text } });
      return null;
    }
    await this.hear(nonce, message);
    return null;
  }

  async #pause(pending: Pending, problem: ProblemError, failures: number): Promise<void> {
    const { clock, random } = this.#needed;
    if (!this.#needed.connected()) return;
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
    const wait = problem.retryAfter !== undefined ? problem.retryAfter * 1000 + random() * 250 : longest / 2 + (random() * longest) / 2;
    const shown = this.list.find((item) => item.nonce === pending.nonce);
    if (shown && problem.retryAfter !== undefined) this.#show({ ...shown, until: clock.now() + wait });
    await this.#pauses.sleep(wait);
  }

  async #sent(nonce: string, message: Message): Promise<void> {
    const pending = this.list.find((item) => item.nonce === nonce);
    this.#nonces.set(message.id, nonce);
    for (const [id] of this.#nonces) if (this.#nonces.size > KEYS) this.#nonces.delete(id);
    const stands = this.#needed.delivered(message);
    if (stands) this.#drop(nonce);
    else if (pending) this.#show({ ...pending, state: "sent", message });
    await this.#change((store) => store.delete(nonce));
  }

  #stamp(): { created_at: number; order: number } {
    const now = this.#needed.clock.now();
    // Two in the same millisecond, or after the clock was set back, still follow each other.
    return { created_at: now, order: Math.max(now, ...this.list.map((pending) => pending.order + 1)) };
  }

  #show(pending: Pending): void {
    this.list = [...this.list.filter((item) => item.nonce !== pending.nonce), pending].sort(byOrder);
  }

  #drop(nonce: string): void {
    this.list = this.list.filter((pending) => pending.nonce !== nonce);
  }

  async #keep(pending: Pending): Promise<void> {
    this.#show(pending);
    this.#writing.add(pending.nonce);
    await this.#change((store) => store.put(pending));
    this.#writing.delete(pending.nonce);
    // Before the other tabs hear of it: who wrote it is the first to try.
    if (pending.state === "waiting") void this.#drainRoom(pending.room);
    this.#tell({ put: pending });
  }

  /** Reads or writes the store. When it fails (no space, the browser took it away), what is in memory can still be sent. */
  async #change<Result>(work: (store: OutboxStore) => Promise<Result>): Promise<Result> {
    const store = this.#store;
    try {
      return await work(store);
    } catch (error) {
      if (this.#store !== store) return work(this.#store);
      console.warn("The outbox could not be stored, and is kept in memory from now on.", error);
      this.#store = memoryStore(this.list.filter((pending) => pending.state !== "sent"));
      this.persistent = false;
      return work(this.#store);
    }
  }

  #tell(news: News): void {
    this.#tellTabs(news);
  }

  #hearTab(news: News): void {
    if ("cleared" in news) this.list = [];
    else if ("put" in news && news.put.user === this.#user) {
      this.#show(news.put);
      if (news.put.state === "waiting") void this.#drainRoom(news.put.room);
    } else if ("gone" in news && news.user === this.#user) {
      if (news.message) void this.#sent(news.gone, news.message);
      else this.#drop(news.gone);
    }
  }
}

function byOrder(one: Pending, other: Pending): number {
  return one.order - other.order || (one.nonce < other.nonce ? -1 : 1);
}
