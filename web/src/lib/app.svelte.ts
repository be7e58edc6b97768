/** The client without its looks: builds every store once, and gives each event to those it concerns. */
import { Connection } from "./connection.svelte";
import { Drafts } from "./drafts.svelte";
import type { Environment, PageNews } from "./environment";
import { Idleness } from "./idleness";
import { Kept } from "./kept";
import { lasting } from "./lasting.svelte";
import { Members } from "./members.svelte";
import { Outbox } from "./outbox.svelte";
import type { OutboxStore } from "./outbox";
import { People } from "./people.svelte";
import { Rooms } from "./rooms.svelte";
import { Router } from "./router.svelte";
import { Timelines } from "./timelines.svelte";
import type { Ask, ChangedEvent, HelloEvent, Limits, PostedEvent, ServerEvent, User, Workspace } from "./types";

const PREFIX = "roomful:";
const DEFAULT_LIMITS: Limits = { text: 10_000, frame: 65_536, page: 50, typing_seconds: 5, name: 40, topic: 250 };

export class App {
  me: User | null = $state.raw(null);
  email = $state("");
  workspace: Workspace | null = $state.raw(null);
  limits: Limits = $state.raw(DEFAULT_LIMITS);
  /** Version of the server. */
  server = $state("");
  readonly connection: Connection;
  readonly rooms: Rooms;
  readonly people: People;
  readonly outbox: Outbox;
  readonly timelines: Timelines;
  readonly drafts: Drafts;
  readonly router: Router;
  /** Can anything be shown: has a hello come, or was one kept from before? */
  readonly ready: boolean = $derived.by(() => this.me !== null && this.rooms.loaded);
  /** Messages that would be lost by signing out. */
  readonly unsent: number = $derived.by(() => this.outbox.count);
  /** For the title bar: "(3) general – Analytical Engines". */
  readonly title: string = $derived.by(() => this.#title());

  readonly #environment: Environment;
  readonly #idleness: Idleness;
  readonly #kept: Kept;
  readonly #members = new Map<number, Members>();
  #store: OutboxStore | null = null;
  #user: number | null = null;

  constructor(environment: Environment) {
    this.#environment = environment;
    const { clock, page } = environment;
    const ask = this.ask;
    const me = (): number => this.#user ?? 0;
    this.connection = new Connection({ ...environment, signedOut: () => void this.#signedOut() });
    this.#kept = new Kept(clock);
    const connected = (): boolean => this.connection.state.name === "open";
    this.rooms = new Rooms({ ask, me });
    this.people = new People({ ask, clock, me, typingSeconds: () => this.limits.typing_seconds });
    this.outbox = new Outbox({
      ...environment,
      ask,
      connected,
      newest: (room) => this.rooms.get(room)?.seq ?? 0,
      delivered: (message) => this.#log({ event: "message.posted", room: message.room, seq: message.seq, message }),
    });
    this.timelines = new Timelines({
      ask,
      clock,
      page,
      rooms: this.rooms,
      outbox: this.outbox,
      me,
      limits: () => this.limits,
      connected,
      recall: (room) => this.#kept.page(room),
      keep: (timeline) => this.#kept.keep(timeline),
      gone: (room) => void this.#kept.forget(room),
    });
    this.drafts = new Drafts(environment.shelf);
    this.router = new Router(environment.visited, (route, room) => this.timelines.show(room, route.name === "room" ? route.at : undefined));
    this.#idleness = new Idleness({ ask, clock, page });
  }

  /** Asks the server anything; rejects with a ProblemError. */
  readonly ask: Ask = (verb, fields) => this.connection.ask(verb, fields);

  /** Reads what is kept here and begins to connect; does not wait for the server. */
  async start(): Promise<void> {
    const [outbox, kept] = await Promise.all([this.#environment.openOutbox(), this.#environment.openKept()]);
    this.#store = outbox;
    const hello = kept && (await this.#kept.open(kept));
    if (hello) {
      await this.#begin(hello);
      this.timelines.startFrom(hello.epoch);
    }
    this.router.start();
    this.connection.listen((event) => this.#hear(event));
    this.#environment.page.listen((news) => this.#pageSays(news));
    this.connection.start();
  }

  retryNow(): void {
    this.connection.retryNow();
  }

  /** Who is in a room; load() it when it is shown. */
  members(room: number): Members {
    const members = this.#members.get(room) ?? lasting(() => new Members(room, { ask: this.ask, people: this.people }));
    this.#members.set(room, members);
    return members;
  }

  /** Ends the session and leaves nothing behind; rejects with a ProblemError when the server cannot be told. */
  async signOut(): Promise<void> {
    // First, since the server closes the sockets of an ended session, and this page still has to tidy up.
    this.connection.stop();
    const unsent = await this.outbox.clear();
    try {
      await this.#environment.signOut();
    } catch (error) {
      await this.outbox.restore(unsent);
      this.connection.start();
      throw error;
    }
    this.drafts.clear();
    this.timelines.clear();
    this.rooms.clear();
    await this.#forget();
    const { shelf } = this.#environment;
    const keys = Array.from({ length: shelf.length }, (_, index) => shelf.key(index) ?? "");
    for (const key of keys) if (key.startsWith(PREFIX)) shelf.removeItem(key);
    this.#environment.leave("/sign-in");
  }

  /** The session ended elsewhere. Unsent messages and drafts stay for when the same person signs in again. */
  async #signedOut(): Promise<void> {
    await this.#forget();
    this.#environment.leave("/sign-in");
  }

  /** What the server said does not stay in this browser without a session. */
  async #forget(): Promise<void> {
    for (const result of await Promise.allSettled([this.#kept.end(), this.#environment.uninstall()])) {
      if (result.status === "rejected") console.error("Not all of what was kept in this browser could be removed.", result.reason);
    }
  }

  async #begin(hello: HelloEvent): Promise<void> {
    this.me = hello.user;
    this.email = hello.email;
    this.workspace = hello.workspace;
    this.limits = hello.limits;
    this.server = hello.server;
    this.rooms.begin(hello.rooms);
    this.people.begin(hello.user, hello.rooms);
    if (this.#user === hello.user.id || this.#store === null) return;
    this.#user = hello.user.id;
    this.drafts.open(hello.user.id);
    await this.outbox.open(this.#store, hello.user.id);
  }

  #hear(event: ServerEvent): void {
    switch (event.event) {
      case "hello":
        return this.#greet(event);
      case "message.posted":
      case "message.changed":
        this.#log(event);
        return;
      case "message.sent":
        return void this.outbox.hear(event.nonce, event.message);
      case "room.sync":
        if (!event.sync.left && !event.sync.reload) this.rooms.hearSync(event.sync);
        return this.timelines.take(event.sync);
      case "room.joined":
        this.rooms.hearJoined(event.room);
        void this.#keepRooms();
        if (event.room.with) this.people.learn([event.room.with]);
        return this.timelines.joined();
      case "room.left":
        this.rooms.hearLeft(event.room, event.reason);
        this.#members.delete(event.room);
        void this.#keepRooms();
        return this.timelines.leave(event.room);
      case "room.read":
        return this.rooms.hearRead(event);
      case "room.involved":
        return this.rooms.hearInvolved(event.room, event.involvement);
      case "typing":
        return this.people.hearTyping(event.room, event.user);
      case "presence.changed":
        return this.people.hearPresence(event, new Date(this.#environment.clock.now()).toISOString());
      case "user.changed":
        this.people.learn([event.user]);
        this.rooms.hearUser(event.user);
        if (event.user.id === this.#user) this.me = event.user;
        return;
      case "workspace.changed":
        this.workspace = event.workspace;
        return;
      case "bye":
        return;
    }
  }

  #greet(hello: HelloEvent): void {
    void this.#kept.greet(hello);
    void this.#begin(hello).then(() => this.outbox.drain());
    void this.timelines.begin(hello.epoch, hello.rooms);
    for (const members of this.#members.values()) void members.load();
    this.#idleness.begin();
  }

  /** A change of a room's log, from an event or a reply. True when its timeline needs nothing more to show it. */
  #log(event: PostedEvent | ChangedEvent): boolean {
    const { message } = event;
    const isNew = event.seq > (this.rooms.get(event.room)?.seq ?? Infinity);
    this.rooms.hear(event);
    if (event.event === "message.posted") {
      this.people.stopTyping(event.room, message.sender.id);
      if (isNew && message.kind) void this.#members.get(event.room)?.hear(message);
    }
    return this.timelines.hear(event);
  }

  #pageSays(news: PageNews): void {
    if (news === "shown") this.timelines.current?.considerRead();
    if (news !== "hidden") return;
    // It may be closed next.
    void this.#keepRooms();
    void this.#kept.flush();
  }

  #keepRooms(): Promise<void> {
    return this.#kept.keepRooms([...this.rooms.all.values()]);
  }

  #title(): string {
    const room = this.router.room === null ? undefined : this.rooms.get(this.router.room);
    const name = this.workspace?.name ?? "Roomful";
    const place = room ? `${this.rooms.title(room)} – ${name}` : name;
    return this.rooms.unread > 0 ? `(${this.rooms.unread}) ${place}` : place;
  }
}
