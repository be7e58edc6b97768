/** The rooms that the person is in: names, what is unread, and the order they are listed in. */
import { SvelteMap } from "svelte/reactivity";
import type { Ask, ChangedEvent, Fields, Involvement, Message, PostedEvent, Room, RoomKind, SyncPage } from "./types";
import { isText } from "./types";

/** The server counts no further, so neither do we. */
const MOST_UNREAD = 100;

interface Needed {
  ask: Ask;
  me(): number;
}

export class Rooms {
  readonly all = new SvelteMap<number, Room>();
  /** Has a list come, from the server or from what was kept? */
  loaded = $state(false);
  /** A room that somebody removed the person from, to be told about. */
  removedFrom: Room | null = $state.raw(null);
  readonly public: readonly Room[] = $derived(this.#byName("public"));
  readonly private: readonly Room[] = $derived(this.#byName("private"));
  /** The newest first. */
  readonly direct: readonly Room[] = $derived(
    this.#of("direct").sort((one, other) => (other.last_at ?? "").localeCompare(one.last_at ?? "") || other.id - one.id),
  );
  /** Unread texts of all rooms that are not silenced. */
  readonly unread: number = $derived([...this.all.values()].reduce((sum, room) => sum + (room.involvement === "nothing" ? 0 : room.unread), 0));

  readonly #needed: Needed;
  readonly #refreshing = new Set<number>();

  constructor(needed: Needed) {
    this.#needed = needed;
  }

  get(id: number): Room | undefined {
    return this.all.get(id);
  }

  /** What the room is called: a direct one after the other person. */
  title(room: Room): string {
    return room.kind === "direct" ? (room.with?.name ?? "") : room.name;
  }

  async create(fields: Fields<"room.create">): Promise<Room> {
    return this.#put((await this.#needed.ask("room.create", fields)).room);
  }

  /** The direct room with this user, found or made. */
  async openDirect(user: number): Promise<Room> {
    return this.#put((await this.#needed.ask("room.direct", { user })).room);
  }

  async join(room: number): Promise<Room> {
    return this.#put((await this.#needed.ask("room.join", { room })).room);
  }

  async leave(room: number): Promise<void> {
    await this.#needed.ask("room.leave", { room });
  }

  async update(room: number, changes: { name?: string; topic?: string }): Promise<Room> {
    return this.#put((await this.#needed.ask("room.update", { room, ...changes })).room);
  }

  async archive(room: number, archived: boolean): Promise<Room> {
    return this.#put((await this.#needed.ask("room.archive", { room, archived })).room);
  }

  async involve(room: number, involvement: Involvement): Promise<Room> {
    return this.#put((await this.#needed.ask("room.involve", { room, involvement })).room);
  }

  async addMembers(room: number, users: number[]): Promise<Room> {
    return this.#put((await this.#needed.ask("member.add", { room, users })).room);
  }

  async removeMember(room: number, user: number): Promise<void> {
    await this.#needed.ask("member.remove", { room, user });
  }

  /** Public rooms, also those the person is not in, with how many are in them. */
  async browse(query = ""): Promise<Room[]> {
    return (await this.#needed.ask("room.browse", query ? { query } : {})).rooms;
  }

  /** Shown as read at once; put back when the server does not take it. */
  async markRead(id: number, seq: number): Promise<void> {
    const before = this.all.get(id);
    if (before === undefined || before.read >= seq) return;
    this.#change(id, { read: seq, unread: 0 });
    try {
      this.hearRead(await this.#needed.ask("room.read", { room: id, seq }));
    } catch (error) {
      const now = this.all.get(id);
      if (now?.read === seq) this.#change(id, { read: before.read, unread: Math.min(MOST_UNREAD, before.unread + now.unread) });
      throw error;
    }
  }

  /** The whole list, as the hello has it. */
  begin(rooms: readonly Room[]): void {
    const present = new Set(rooms.map((room) => room.id));
    for (const id of [...this.all.keys()]) if (!present.has(id)) this.all.delete(id);
    for (const room of rooms) this.all.set(room.id, room);
    this.loaded = true;
  }

  hear({ seq, message }: PostedEvent | ChangedEvent): void {
    const room = this.all.get(message.room);
    if (room === undefined || seq <= room.seq) return;
    // Something before it was missed: what it did to the numbers is only known to the server.
    if (seq > room.seq + 1) void this.#refresh(room.id);
    this.all.set(room.id, this.#after(room, seq, message));
  }

  /** A gap that the server healed by itself. */
  hearSync(sync: SyncPage): void {
    const room = this.all.get(sync.room);
    if (room === undefined || sync.to <= room.seq) return;
    if (sync.from > room.seq || sync.more) void this.#refresh(room.id);
    const missed = sync.messages.filter((message) => (message.changed ?? message.seq) > room.seq);
    const now = missed.reduce((so_far, message) => this.#after(so_far, message.changed ?? message.seq, message), room);
    this.all.set(room.id, { ...now, seq: sync.to });
  }

  hearRead({ room, read, unread }: { room: number; read: number; unread: number }): void {
    const known = this.all.get(room);
    // Two marks can overtake each other; a read position never goes back.
    if (known && read >= known.read) this.#change(room, { read, unread });
  }

  hearInvolved(room: number, involvement: Involvement): void {
    this.#change(room, { involvement });
  }

  hearJoined(room: Room): void {
    this.#put(room);
  }

  hearLeft(id: number, reason: "left" | "removed"): void {
    const room = this.all.get(id);
    this.all.delete(id);
    if (room && reason === "removed") this.removedFrom = room;
  }

  /** The other person of direct rooms was renamed. */
  hearUser(user: NonNullable<Room["with"]>): void {
    for (const room of this.all.values()) if (room.with?.id === user.id) this.#change(room.id, { with: user });
  }

  clear(): void {
    this.all.clear();
    this.loaded = false;
  }

  /** The room after this change of its log. */
  #after(room: Room, seq: number, message: Message): Room {
    const next: Room = { ...room, seq };
    const posted = message.seq === seq;
    const counts = isText(message) && message.sender.id !== this.#needed.me() && message.seq > room.read;
    if (posted) next.last_at = message.at;
    if (counts && message.deleted) {
      // Beyond the most that is counted, one less is not known to be one less. A text that came and went uncounted changes nothing.
      if (message.seq <= room.seq && room.unread < MOST_UNREAD) next.unread = Math.max(0, room.unread - 1);
    } else if (counts && message.seq > room.seq) next.unread = Math.min(MOST_UNREAD, room.unread + 1);
    if (message.kind === "renamed") next.name = message.data?.name ?? room.name;
    if (message.kind === "topic") next.topic = message.data?.topic ?? "";
    if (message.kind === "archived" || message.kind === "restored") next.archived = message.kind === "archived";
    return next;
  }

  async #refresh(id: number): Promise<void> {
    if (this.#refreshing.has(id)) return;
    this.#refreshing.add(id);
    try {
      this.#put((await this.#needed.ask("room.get", { room: id })).room);
    } catch {
      // Without a connection the next hello brings the numbers; and a room that is gone is told by `room.left`.
    } finally {
      this.#refreshing.delete(id);
    }
  }

  /** Takes a whole room from a reply, unless newer things were heard of it meanwhile. */
  #put(room: Room): Room {
    const known = this.all.get(room.id);
    if (room.member && (known === undefined || room.seq >= known.seq)) this.all.set(room.id, room);
    return room;
  }

  #change(id: number, changes: Partial<Room>): void {
    const room = this.all.get(id);
    if (room) this.all.set(id, { ...room, ...changes });
  }

  #of(kind: RoomKind): Room[] {
    return [...this.all.values()].filter((room) => room.kind === kind);
  }

  #byName(kind: RoomKind): Room[] {
    return this.#of(kind).sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true, sensitivity: "base" }) || one.id - other.id);
  }
}
