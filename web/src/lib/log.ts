/** What is known of one room's log: contiguous slices of its messages, and the cursor up to which nothing was missed. */
import { versionOf, type ChangedEvent, type HistoryPage, type HistoryPlace, type Message, type PostedEvent, type SyncPage } from "./types";

/** A stretch of the log of which every message is here: those with `from` ≤ seq ≤ `to`, oldest first. */
export interface Slice {
  readonly from: number;
  readonly to: number;
  readonly messages: readonly Message[];
}

/** A slice with the cursor that it stands under: enough to go on from. */
export interface LogPage extends Slice {
  readonly cursor: number;
}

type LogEvent = PostedEvent | ChangedEvent;

/** More than these are not kept while something before them is missing: the sync that brings that brings them too. */
const HELD = 500;

/**
 * The rule that everything here keeps: a message that lies within a slice and is missing there, or is there in an older
 * version, was changed after the cursor, so that a sync from the cursor mends it. Slices neither overlap nor touch.
 * Slices and their lists of messages are replaced, never altered.
 */
export class RoomLog {
  #slices: Slice[] = [];
  #cursor: number | null = null;
  #head = 0;
  readonly #held = new Map<number, LogEvent>();

  /** The last seq up to which nothing was missed; null before the first page. */
  get cursor(): number | null {
    return this.#cursor;
  }

  /** Is it known that the log goes on after the cursor? Then ask `room.sync` after the cursor. */
  get behind(): boolean {
    return this.#cursor !== null && this.#cursor < this.#head;
  }

  /** The slice that reaches the newest message, if it is loaded. */
  get live(): Slice | null {
    const last = this.#slices.at(-1);
    return last !== undefined && this.#cursor !== null && last.to >= this.#cursor ? last : null;
  }

  /** The slice that holds this place of the log. */
  at(seq: number): Slice | null {
    return this.#slices.find((slice) => slice.from <= seq && seq <= slice.to) ?? null;
  }

  /** The server says that the room's newest seq is at least this. */
  expect(seq: number): void {
    this.#head = Math.max(this.#head, seq);
  }

  /** True when it changed what is known. An event after a gap is kept until the gap is filled. */
  hear(event: LogEvent): boolean {
    this.expect(event.seq);
    if (this.#cursor !== null && event.seq <= this.#cursor) return this.#put(event.message);
    if (this.#held.size < HELD) this.#held.set(event.seq, event);
    return this.#drain();
  }

  applySync(sync: SyncPage): boolean {
    const cursor = this.#cursor;
    this.expect(sync.to);
    // From further on than we are, it would leave a hole: `behind` now says what to ask instead.
    if (cursor === null || sync.from > cursor) return false;
    let changed = false;
    if (sync.to > cursor) {
      this.#reach(sync.from, sync.to);
      this.#cursor = sync.to;
      changed = true;
    }
    for (const message of sync.messages) changed = this.#put(message) || changed;
    return this.#drain() || changed;
  }

  /** A page of history that was asked for with `place`. */
  applyPage(place: HistoryPlace, page: HistoryPage): void {
    const first = page.messages[0]?.seq;
    const last = page.messages.at(-1)?.seq;
    // 0 lies before every message: a room without any has a slice as well.
    let from = page.older && first !== undefined ? first : 0;
    let to = page.newer && last !== undefined ? last : Math.max(page.seq, last ?? 0);
    if (place.before !== undefined) to = place.before - 1;
    if (place.after !== undefined) from = place.after + 1;
    this.expect(page.seq);
    // Read before something that we already heard of: the page may hold older versions. Going back lets a sync mend them.
    if (this.#cursor === null || page.seq < this.#cursor) this.#cursor = page.seq;
    if (from <= to) this.#cover(from, to);
    for (const message of page.messages) this.#put(message);
    this.#drain();
  }

  /** The newest so many messages, for restore(); null while the log does not reach them. */
  newest(most: number): LogPage | null {
    const { live } = this;
    return live === null || this.#cursor === null ? null : { ...shortened(live, most), cursor: this.#cursor };
  }

  /** Goes on from what newest() gave, into a log that holds nothing yet. */
  restore({ from, to, messages, cursor }: LogPage): void {
    this.#slices = [{ from, to, messages }];
    this.#cursor = cursor;
    this.expect(cursor);
    this.#drain();
  }

  /** Forgets everything; the next page sets the cursor anew. */
  reset(): void {
    this.#slices = [];
    this.#held.clear();
    this.#cursor = null;
    this.#head = 0;
  }

  /** Forgets all but the newest so many messages, so that rooms that nobody looks at do not grow. */
  trim(keep: number): void {
    const live = this.live;
    if (live !== null) this.#slices = [shortened(live, keep)];
  }

  /** Applies what was held back, as far as it goes on without a gap. */
  #drain(): boolean {
    let changed = false;
    for (;;) {
      if (this.#cursor === null) return changed;
      for (const [seq, event] of this.#held) {
        if (seq > this.#cursor) continue;
        this.#held.delete(seq);
        changed = this.#put(event.message) || changed;
      }
      const next = this.#held.get(this.#cursor + 1);
      if (next === undefined) return changed;
      this.#held.delete(next.seq);
      this.#reach(this.#cursor, next.seq);
      this.#cursor = next.seq;
      this.#put(next.message);
      changed = true;
    }
  }

  /** Everything between is known now: slices that end there go on to `to`. */
  #reach(from: number, to: number): void {
    const reaching = this.#slices.filter((slice) => slice.to >= from && slice.to < to);
    for (const slice of reaching) this.#cover(slice.to + 1, to);
  }

  /** This stretch is known from now on: one slice with those that it overlaps or touches. */
  #cover(from: number, to: number): void {
    const near = this.#slices.filter((slice) => slice.from <= to + 1 && from <= slice.to + 1);
    const apart = this.#slices.filter((slice) => !near.includes(slice));
    const [only] = near;
    const joined: Slice = {
      from: Math.min(from, ...near.map((slice) => slice.from)),
      to: Math.max(to, ...near.map((slice) => slice.to)),
      messages: near.length === 1 && only ? only.messages : near.flatMap((slice) => slice.messages),
    };
    this.#slices = [...apart, joined].sort((one, other) => one.from - other.from);
  }

  /** Inserts the message or replaces an older version of it, where its place is loaded. */
  #put(message: Message): boolean {
    const index = this.#slices.findIndex((slice) => slice.from <= message.seq && message.seq <= slice.to);
    const slice = this.#slices[index];
    if (slice === undefined) return false;
    const place = firstFrom(slice.messages, message.seq);
    const old = slice.messages[place];
    const known = old?.seq === message.seq;
    if (known && versionOf(old) >= versionOf(message)) return false;
    const messages = [...slice.messages.slice(0, place), message, ...slice.messages.slice(place + (known ? 1 : 0))];
    this.#slices[index] = { ...slice, messages };
    return true;
  }
}

/** The slice without all but its newest so many messages. */
function shortened(slice: Slice, keep: number): Slice {
  const messages = slice.messages.slice(-keep);
  const first = messages[0];
  return messages.length < slice.messages.length && first !== undefined ? { from: first.seq, to: slice.to, messages } : slice;
}

/** Index of the first message at or after the seq. */
function firstFrom(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length;
  // Nearly always it comes last.
  if (high > 0 && (messages[high - 1]?.seq ?? 0) < seq) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
