/** A browser tab for tests: an app on a fake clock, a fake server, and a browser's storage that tabs may share. */
import { App } from "../app.svelte";
import type { Environment, PageNews, Shelf, Visited } from "../environment";
import type { KeptPage, KeptStore } from "../kept";
import { memoryStore, type OutboxStore } from "../outbox";
import { ProblemError } from "../problem";
import type { HelloEvent, User } from "../types";
import { FakeClock, settle } from "./clock";
import type { FakeServer } from "./server";

/** What all tabs of one browser have in common. */
export class Browser {
  readonly clock: FakeClock;
  readonly shelf: Shelf = fakeShelf();
  store: OutboxStore = memoryStore();
  kept: FakeKept | null = new FakeKept();
  /** Is the built client in this browser? */
  installed = true;
  random = 0.5;
  readonly #server: FakeServer;
  readonly #talks = new Map<string, Set<(news: unknown) => void>>();
  readonly #locks = new Map<string, Promise<void>>();
  #uuids = 0;

  constructor(clock: FakeClock, server: FakeServer) {
    this.clock = clock;
    this.#server = server;
  }

  /** News as from another tab. */
  tell(name: string, news: unknown): void {
    for (const listener of this.#talks.get(name) ?? []) listener(news);
  }

  async tab(user: User, path = "/"): Promise<Tab> {
    const page = new FakePage();
    const visited = new FakeVisited(path);
    const left: string[] = [];
    let gone = false;
    const environment: Environment = {
      clock: {
        now: () => this.clock.now(),
        after: (milliseconds, run) => this.clock.after(milliseconds, () => (gone ? undefined : run())),
      },
      random: () => this.random,
      uuid: () => `nonce-${++this.#uuids}`,
      openSocket: (listener) => this.#server.connect(user, listener),
      signedIn: () => Promise.resolve(this.#server.frozen ? "unknown" : this.#server.sessions.has(user.id) ? "yes" : "no"),
      signOut: async () => {
        if (this.#server.frozen) throw ProblemError.disconnected();
        this.#server.sessions.delete(user.id);
      },
      leave: (to) => left.push(to),
      page,
      shelf: this.shelf,
      channel: (name, hear) => {
        const talk = this.#talks.get(name) ?? new Set();
        this.#talks.set(name, talk);
        const listener = (news: unknown): void => {
          if (!gone) hear(news);
        };
        talk.add(listener);
        return (news) => {
          for (const other of talk) if (other !== listener) queueMicrotask(() => other(structuredClone(news)));
        };
      },
      openOutbox: () => Promise.resolve(this.store),
      openKept: () => Promise.resolve(this.kept),
      uninstall: () => {
        this.installed = false;
        return Promise.resolve();
      },
      exclusively: async (name, work) => {
        const before = this.#locks.get(name) ?? Promise.resolve();
        // A tab that closes lets go of its locks.
        const mine = before.then(() => (gone ? undefined : Promise.race([work(), closed])));
        this.#locks.set(name, mine);
        await mine;
      },
      visited,
    };
    let tellClosed = (): void => {};
    const closed = new Promise<void>((resolve) => {
      tellClosed = resolve;
    });
    const app = new App(environment);
    const tab: Tab = {
      app,
      page,
      visited,
      left,
      close() {
        gone = true;
        app.connection.stop();
        tellClosed();
      },
    };
    await app.start();
    await settle();
    return tab;
  }
}

export interface Tab {
  app: App;
  page: FakePage;
  visited: FakeVisited;
  /** The pages that it left for. */
  left: string[];
  /** As when the person closes it: nothing is said goodbye to. */
  close(): void;
}

export class FakeKept implements KeptStore {
  last: HelloEvent | null = null;
  readonly rooms = new Map<number, KeptPage>();

  hello(): Promise<HelloEvent | null> {
    return Promise.resolve(structuredClone(this.last));
  }

  putHello(hello: HelloEvent): Promise<void> {
    this.last = structuredClone(hello);
    return Promise.resolve();
  }

  page(room: number): Promise<KeptPage | null> {
    return Promise.resolve(structuredClone(this.rooms.get(room) ?? null));
  }

  pages(): Promise<KeptPage[]> {
    return Promise.resolve(structuredClone([...this.rooms.values()]));
  }

  putPage(page: KeptPage): Promise<void> {
    this.rooms.set(page.room, structuredClone(page));
    return Promise.resolve();
  }

  deletePage(room: number): Promise<void> {
    this.rooms.delete(room);
    return Promise.resolve();
  }

  clear(): Promise<void> {
    this.last = null;
    this.rooms.clear();
    return Promise.resolve();
  }
}

export class FakePage {
  visible = true;
  online = true;
  readonly #listeners = new Set<(news: PageNews) => void>();

  listen(listener: (news: PageNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(news: PageNews): void {
    if (news === "shown" || news === "hidden") this.visible = news === "shown";
    if (news === "online" || news === "offline") this.online = news === "online";
    for (const listener of this.#listeners) listener(news);
  }
}

export class FakeVisited implements Visited {
  readonly #entries: { path: string; state: unknown }[];
  #at = 0;
  #tell = (): void => {};

  constructor(path: string) {
    this.#entries = [{ path, state: null }];
  }

  get path(): string {
    return this.#entries[this.#at]?.path ?? "/";
  }

  get state(): unknown {
    return this.#entries[this.#at]?.state;
  }

  get length(): number {
    return this.#entries.length;
  }

  push(path: string, state: unknown): void {
    this.#entries.splice(++this.#at, Infinity, { path, state: structuredClone(state) });
  }

  replace(path: string, state: unknown): void {
    this.#entries[this.#at] = { path, state: structuredClone(state) };
  }

  back(): void {
    this.move(-1);
  }

  move(steps: number): void {
    this.#at = Math.min(this.#entries.length - 1, Math.max(0, this.#at + steps));
    this.#tell();
  }

  listen(listener: () => void): () => void {
    this.#tell = listener;
    return () => {
      this.#tell = () => {};
    };
  }
}

export function fakeShelf(): Shelf {
  const kept = new Map<string, string>();
  return {
    get length() {
      return kept.size;
    },
    key: (index) => [...kept.keys()][index] ?? null,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}
