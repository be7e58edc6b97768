/** One room as a person reads it: the slice in view, where it opens, what is new, what is read. */
import type { Clock, Page } from "./environment";
import { Feed } from "./feed";
import type { LogPage, Slice } from "./log";
import type { Outbox } from "./outbox.svelte";
import { refusal, unseen, wellFormed, type Pending } from "./outbox";
import { asProblem, type ProblemError } from "./problem";
import { ReadMark } from "./read-mark";
import type { Rooms } from "./rooms.svelte";
import { isText, type Ask, type ChangedEvent, type HistoryPlace, type Limits, type Message, type PostedEvent, type SyncPage } from "./types";

export interface TimelineNeeds {
  ask: Ask;
  clock: Clock;
  page: Page;
  rooms: Rooms;
  outbox: Outbox;
  me(): number;
  limits(): Limits;
  connected(): boolean;
  /** What was kept of the room from before; null when that is nothing. */
  recall(room: number): Promise<LogPage | null>;
  /** The newest messages have changed: they can be kept. */
  keep(timeline: Timeline): void;
}

/** So many messages stay in memory of a room that nobody looks at. */
const KEEP_UNSEEN = 100;
/** Beyond this the oldest half goes while the newest are watched. */
const TOO_MANY = 600;

export class Timeline {
  readonly room: number;
  /** The contiguous slice in view, oldest first, lines of all kinds among it. */
  messages: readonly Message[] = $state.raw([]);
  /** Is there more before and after the slice? */
  older = $state(false);
  newer = $state(false);
  /** Does the slice reach the newest message? */
  live = $state(false);
  /** Is there a slice to show? */
  loaded = $state(false);
  loading: "first" | "older" | "newer" | null = $state(null);
  /** Why the last loading failed; retry() tries it again. */
  problem: ProblemError | null = $state.raw(null);
  /** Texts of others that came while the bottom was out of view. */
  newBelow = $state(0);
  /** What to bring into view after loading; call reached() then. Null: the newest. */
  target: { seq: number; kind: "permalink" | "unread" } | null = $state.raw(null);
  /** Own messages that are not among `messages` yet; they stand below them when live. */
  readonly pending: Pending[] = $derived.by(() => unseen(this.#needs.outbox.of(this.room), this.messages, this.#needs.me()));
  /**
   * The "new messages" line stands before the first text of somebody else after this seq. It stays while the room is open.
   * Null when there is none in the slice.
   */
  readonly newLine: number | null = $derived.by(() => (this.#readAtOpening !== null && this.#from <= this.#readAtOpening + 1 ? this.#readAtOpening : null));

  readonly #needs: TimelineNeeds;
  readonly #feed: Feed;
  readonly #readMark: ReadMark;
  readonly #below = new Set<number>();
  #readAtOpening: number | null = $state(null);
  #from = $state(0);
  /** A place in the slice in view; null when that is the live one. */
  #anchor: number | null = null;
  #opened = false;
  #atBottom = false;
  /** Counts openings and closings: who had to wait sees whether it is still wanted. */
  #turn = 0;
  /** Is what is here as it was kept, and not confirmed by the server since? */
  #recalled = false;
  #place: HistoryPlace = {};

  constructor(room: number, needs: TimelineNeeds) {
    this.room = room;
    this.#needs = needs;
    this.#feed = new Feed(room, {
      ask: needs.ask,
      clock: needs.clock,
      changed: () => this.#show(),
      arrives: (message) => this.#arrives(message),
      reload: () => this.reload(),
    });
    this.#readMark = new ReadMark({
      clock: needs.clock,
      seen: () => (this.#watching() ? this.cursor : null),
      mark: (seq) => needs.rooms.markRead(room, seq),
    });
  }

  get cursor(): number | null {
    return this.#feed.log.cursor;
  }

  /** With each hello: false when the room must be opened anew, since here is nothing, or only what was kept and is outdated. */
  confirm(head: number): boolean {
    if (this.cursor === head) this.#recalled = false;
    return this.cursor !== null && !this.#recalled;
  }

  /** The newest so many messages, with what is needed to go on from them; null while they are not here. */
  newest(most: number): LogPage | null {
    return this.#feed.log.newest(most);
  }

  /** The room comes into view, at its newest or first unread message, or at the one with this seq. */
  async open(at?: number): Promise<void> {
    const turn = ++this.#turn;
    if (this.cursor === null && !this.#needs.connected()) await this.#recall(turn);
    if (turn !== this.#turn) return;
    const room = this.#needs.rooms.get(this.room);
    if (!this.#opened) {
      this.#opened = true;
      this.#seesBottom();
      this.#readAtOpening = room && room.unread > 0 ? room.read : null;
    }
    if (at !== undefined) return this.jumpTo(at);
    this.#anchor = null;
    const unreadFrom = this.#readAtOpening === null ? null : this.#readAtOpening + 1;
    this.target = unreadFrom === null ? null : { seq: unreadFrom, kind: "unread" };
    if (unreadFrom !== null && room && room.unread >= this.#needs.limits().page - 5 && (this.#feed.log.live?.from ?? Infinity) > unreadFrom) {
      this.#anchor = unreadFrom;
      if (this.#feed.log.at(unreadFrom) === null) return this.#load({ around: unreadFrom });
    } else if (this.#feed.log.live === null) return this.#load({});
    this.#show();
  }

  close(): void {
    this.#turn += 1;
    this.#opened = false;
    this.#atBottom = false;
    this.#readAtOpening = null;
    this.#anchor = null;
    this.target = null;
    this.#readMark.stop();
    this.#feed.log.trim(KEEP_UNSEEN);
    this.#show();
  }

  /** The room is given up: nothing goes on behind its back. */
  end(): void {
    this.#turn += 1;
    this.#readMark.stop();
    this.#feed.end();
  }

  async loadOlder(): Promise<void> {
    const slice = this.#slice();
    if (slice && this.older) await this.#load({ before: slice.from });
  }

  async loadNewer(): Promise<void> {
    const slice = this.#slice();
    if (slice && this.newer) await this.#load({ after: slice.to });
  }

  async jumpToNewest(): Promise<void> {
    this.target = null;
    this.#anchor = null;
    if (this.#feed.log.live === null) await this.#load({});
    else this.#show();
  }

  async jumpTo(seq: number): Promise<void> {
    this.#anchor = seq;
    this.target = { seq, kind: "permalink" };
    if (this.#feed.log.at(seq) === null) await this.#load({ around: seq });
    else this.#show();
  }

  /** The target is in view. */
  reached(): void {
    this.target = null;
  }

  dismissNewLine(): void {
    this.#readAtOpening = null;
  }

  /** Loads again what could not be loaded. */
  async retry(): Promise<void> {
    if (this.problem) await this.#load(this.#place);
  }

  /** Tell it whenever the newest message comes into view or leaves it: what is read follows from that. */
  setAtBottom(yes: boolean): void {
    this.#atBottom = yes;
    if (yes && this.live) this.#seesBottom();
    this.considerRead();
  }

  /** Null when the message was taken; else a sentence that says why not. */
  send(written: string): string | null {
    const text = wellFormed(written);
    const whyNot = refusal(text, this.#needs.limits().text);
    if (whyNot !== null) return whyNot;
    void this.#needs.outbox.post(this.room, text);
    if (!this.live) void this.jumpToNewest();
    return null;
  }

  /** A key for its row that is the same as while it was pending, so that the row is not built anew. */
  keyOf(message: Message): string {
    return this.#needs.outbox.nonceOf(message.id) ?? String(message.id);
  }

  async edit(message: Message, text: string): Promise<void> {
    this.#changed((await this.#needs.ask("message.edit", { message: message.id, text })).message);
  }

  async remove(message: Message): Promise<void> {
    this.#changed((await this.#needs.ask("message.delete", { message: message.id })).message);
  }

  /** True when the message stands in the log now, so that its pending row can go. */
  hear(event: PostedEvent | ChangedEvent): boolean {
    return this.#feed.hear(event);
  }

  /** A sync that was told or asked for. */
  take(sync: SyncPage): void {
    this.#feed.take(sync);
  }

  /** The room's newest seq is at least this: a sync follows where that is further than ours. */
  expect(seq: number): void {
    this.#feed.expect(seq);
  }

  /** Forgets all messages, and loads the newest again when the room is in view. */
  reload(): void {
    this.#feed.reset();
    this.loading = null;
    this.#anchor = null;
    if (this.#opened) void this.#load({});
    else this.#show();
  }

  /** The page came into view, or a new connection began: what is in view may be read now. */
  considerRead(): void {
    this.#readMark.consider();
  }

  /** Does the person see the newest message come? */
  #watching(): boolean {
    return this.#opened && this.#atBottom && this.live && this.#needs.page.visible;
  }

  /** A new message of the room, before it is applied. */
  #arrives(message: Message): void {
    if (!this.#opened || !isText(message) || message.deleted || message.sender.id === this.#needs.me() || this.#watching()) return;
    const room = this.#needs.rooms.get(this.room);
    const { cursor } = this.#feed.log;
    // All before it was read: the line moves here, for when they look again.
    if (cursor !== null && room && room.read >= cursor) this.#readAtOpening = room.read;
    if (this.#atBottom && this.live) return;
    this.#below.add(message.id);
    this.newBelow = this.#below.size;
  }

  #seesBottom(): void {
    this.#below.clear();
    this.newBelow = 0;
  }

  #changed(message: Message): void {
    this.hear({ event: "message.changed", room: this.room, seq: message.changed ?? message.seq, message });
  }

  #slice(): Slice | null {
    const { log } = this.#feed;
    return (this.#anchor === null ? null : log.at(this.#anchor)) ?? log.live;
  }

  /** Without a connection, what was kept is there at once. */
  async #recall(turn: number): Promise<void> {
    this.loading = "first";
    const page = await this.#needs.recall(this.room);
    this.loading = null;
    if (page === null || turn !== this.#turn || this.cursor !== null) return;
    this.#feed.log.restore(page);
    this.#recalled = true;
  }

  #show(): void {
    const { log } = this.#feed;
    if (this.#watching() && this.messages.length > TOO_MANY) log.trim(TOO_MANY / 2);
    const slice = this.#slice();
    this.loaded = slice !== null;
    this.live = slice !== null && slice === log.live;
    if (this.live) this.#anchor = null;
    this.messages = slice?.messages ?? [];
    this.older = slice !== null && slice.from > 1;
    this.newer = slice !== null && !this.live;
    this.#from = slice?.from ?? 0;
    if (log.cursor !== null) this.#needs.outbox.settle(this.room, log.cursor);
    if (log.live !== null && !this.#recalled) this.#needs.keep(this);
    this.considerRead();
  }

  async #load(place: HistoryPlace): Promise<void> {
    const what = place.before !== undefined ? "older" : place.after !== undefined ? "newer" : "first";
    // Scrolling asks again and again; a new place to be at goes before.
    if (this.loading !== null && what !== "first") return;
    this.loading = what;
    this.problem = null;
    this.#place = place;
    try {
      if (!(await this.#feed.load(place, this.#needs.limits().page))) return;
    } catch (error) {
      if (this.#place === place) this.problem = asProblem(error);
    }
    if (this.#place === place) this.loading = null;
    this.#show();
  }
}
