/** Keeps in this browser what the client can start with when the server does not answer: the last hello, and the newest messages of the rooms visited lately. */
import type { Clock } from "./environment";
import type { LogPage } from "./log";
import type { HelloEvent } from "./types";

/** The newest messages of one room. */
export interface KeptPage extends LogPage {
  readonly room: number;
  /** Who read them: another person may use the same browser. */
  readonly user: number;
  /** Which logs the numbers point into. */
  readonly epoch: string;
  /** In milliseconds since 1970. */
  readonly kept_at: number;
}

export interface KeptStore {
  hello(): Promise<HelloEvent | null>;
  putHello(hello: HelloEvent): Promise<void>;
  page(room: number): Promise<KeptPage | null>;
  pages(): Promise<KeptPage[]>;
  putPage(page: KeptPage): Promise<void>;
  deletePage(room: number): Promise<void>;
  clear(): Promise<void>;
}

/** A room whose newest messages can be kept. */
interface Source {
  readonly room: number;
  /** Null while the newest are not here. */
  newest(most: number): LogPage | null;
}

const PROTOCOL = 1;
const MESSAGES = 50;
const ROOMS = 20;
/** What changes all the time is written at most so often. */
const EVERY = 500;

export class Kept {
  readonly #clock: Clock;
  readonly #changed = new Map<number, Source>();
  #store: KeptStore | null = null;
  #hello: HelloEvent | null = null;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The last hello; null when none is kept that this client understands. */
  async open(store: KeptStore): Promise<HelloEvent | null> {
    this.#store = store;
    const hello = await this.#try((kept) => kept.hello());
    this.#hello = hello?.protocol === PROTOCOL ? hello : null;
    return this.#hello;
  }

  /** What the server says now: nothing stays of another person, of other logs, or of rooms that the person is not in. */
  async greet(hello: HelloEvent): Promise<void> {
    const before = this.#hello;
    this.#hello = hello;
    if (before !== null && before.user.id !== hello.user.id) await this.#try((kept) => kept.clear());
    await this.#try((kept) => kept.putHello(hello));
    const rooms = new Set(hello.rooms.map((room) => room.id));
    for (const page of (await this.#try((kept) => kept.pages())) ?? []) {
      if (page.user !== hello.user.id || page.epoch !== hello.epoch || !rooms.has(page.room)) await this.#try((kept) => kept.deletePage(page.room));
    }
  }

  /** The rooms as they are now. */
  async keepRooms(rooms: HelloEvent["rooms"]): Promise<void> {
    if (this.#hello === null) return;
    const hello = { ...this.#hello, rooms };
    this.#hello = hello;
    await this.#try((kept) => kept.putHello(hello));
  }

  /** The newest messages of a room as they were when it was last open here; null when they are not kept. */
  async page(room: number): Promise<LogPage | null> {
    const page = await this.#try((kept) => kept.page(room));
    return page && page.user === this.#hello?.user.id && page.epoch === this.#hello.epoch ? page : null;
  }

  /** There is something new in the room: written soon. */
  keep(source: Source): void {
    this.#changed.set(source.room, source);
    this.#cancel ??= this.#clock.after(EVERY, () => void this.flush());
  }

  /** Writes what waits: call it also when the page may go. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    const sources = [...this.#changed.values()];
    this.#changed.clear();
    for (const source of sources) await this.#keepPage(source);
    if (sources.length > 0) await this.#dropOldest();
  }

  /** Nothing of the room stays. */
  async forget(room: number): Promise<void> {
    this.#changed.delete(room);
    await this.#try((kept) => kept.deletePage(room));
  }

  /** Nothing stays, and nothing is kept from now on. */
  async end(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    this.#cancel?.();
    this.#cancel = null;
    this.#changed.clear();
    await store?.clear();
  }

  async #keepPage(source: Source): Promise<void> {
    const page = source.newest(MESSAGES);
    const hello = this.#hello;
    if (page === null || hello === null) return;
    const { room } = source;
    await this.#try((kept) => kept.putPage({ ...page, room, user: hello.user.id, epoch: hello.epoch, kept_at: this.#clock.now() }));
  }

  async #dropOldest(): Promise<void> {
    const pages = (await this.#try((kept) => kept.pages())) ?? [];
    const oldest = pages.sort((one, other) => other.kept_at - one.kept_at).slice(ROOMS);
    for (const page of oldest) await this.#try((kept) => kept.deletePage(page.room));
  }

  /** Null when nothing is kept. A store that fails is given up: all that is in it can be had from the server. */
  async #try<Result>(work: (store: KeptStore) => Promise<Result>): Promise<Result | null> {
    const store = this.#store;
    if (store === null) return null;
    try {
      return await work(store);
    } catch (error) {
      // Signing out in another tab empties the store and closes it, so that this is no reason to worry.
      if (this.#store === store) console.info("This browser keeps nothing for a start without the server any more.", error);
      this.#store = null;
      return null;
    }
  }
}
