/** Who is known, who is here, and who is typing. */
import { SvelteMap } from "svelte/reactivity";
import type { Clock } from "./environment";
import type { Ask, Person, Presence, PresenceEvent, Room, User } from "./types";

interface Typist {
  person: Person;
  cancel(): void;
}

interface Needed {
  ask: Ask;
  clock: Clock;
  me(): number;
  typingSeconds(): number;
}

// A notice lasts five seconds and the server takes one a second: half of the time leaves room for a slow line.
const TYPING_EVERY = 2500;

export class People {
  readonly #needed: Needed;
  readonly #users = new SvelteMap<number, User>();
  readonly #presences = new SvelteMap<number, Presence>();
  readonly #typing = new SvelteMap<number, readonly Typist[]>();
  readonly #told = new Map<number, number>();

  constructor(needed: Needed) {
    this.#needed = needed;
  }

  get(id: number): User | undefined {
    return this.#users.get(id);
  }

  /** The person as they are called now; messages carry the names of their time. */
  of(person: Person): Person {
    return this.#users.get(person.id) ?? person;
  }

  /** Offline when nothing is known. */
  presence(id: number): Presence {
    return this.#presences.get(id) ?? "offline";
  }

  /** Users that a reply or an event brought. Events leave the presence out: whoever is not known yet is looked up. */
  learn(users: readonly (Omit<User, "presence"> & { presence?: Presence })[]): void {
    for (const user of users) {
      const presence = user.presence ?? this.#presences.get(user.id);
      this.#users.set(user.id, { ...user, presence: presence ?? "offline" });
      if (presence !== undefined) this.#presences.set(user.id, presence);
      else this.load(user.id).catch(() => undefined); // shown as offline until the next hello
    }
  }

  async load(id: number): Promise<User> {
    const { user } = await this.#needed.ask("user.get", { user: id });
    this.learn([user]);
    return user;
  }

  /** Everybody whose name fits, in pages: `after` is the id of the last one before. */
  async list(query = "", after?: number): Promise<{ users: User[]; more: boolean }> {
    const page = await this.#needed.ask("user.list", { ...(query ? { query } : {}), ...(after === undefined ? {} : { after }) });
    this.learn(page.users);
    return page;
  }

  /** Others who are typing in the room, who began first before. */
  typing(room: number): Person[] {
    return (this.#typing.get(room) ?? []).map((typist) => this.of(typist.person));
  }

  /** Call it at every keystroke: it is told now and then. */
  startTyping(room: number): void {
    const now = this.#needed.clock.now();
    if (now - (this.#told.get(room) ?? 0) < TYPING_EVERY) return;
    this.#told.set(room, now);
    // Carries no promise: when it cannot be told, nobody misses it.
    this.#needed.ask("typing", { room }).catch(() => undefined);
  }

  /** The hello begins anew: what was told before it may be over. */
  begin(me: User, rooms: readonly Room[]): void {
    this.#presences.clear();
    for (const room of [...this.#typing.keys()]) this.#stopAll(room);
    this.learn([me, ...rooms.flatMap((room) => (room.with ? [room.with] : []))]);
  }

  hearTyping(room: number, person: Person): void {
    if (person.id === this.#needed.me()) return;
    const others = this.#typing.get(room) ?? [];
    const known = others.find((typist) => typist.person.id === person.id);
    known?.cancel();
    const cancel = this.#needed.clock.after(this.#needed.typingSeconds() * 1000, () => this.stopTyping(room, person.id));
    const typist = { person, cancel };
    this.#typing.set(room, known ? others.map((other) => (other === known ? typist : other)) : [...others, typist]);
  }

  /** They sent what they were typing, or left. */
  stopTyping(room: number, id: number): void {
    const typists = this.#typing.get(room);
    const typist = typists?.find((other) => other.person.id === id);
    if (!typists || !typist) return;
    typist.cancel();
    this.#typing.set(
      room,
      typists.filter((other) => other !== typist),
    );
  }

  hearPresence(event: PresenceEvent, at: string): void {
    for (const presence of ["online", "away", "offline"] as const) {
      for (const id of event[presence] ?? []) {
        this.#presences.set(id, presence);
        const user = this.#users.get(id);
        if (user) this.#users.set(id, { ...user, presence, last_seen: presence === "offline" ? at : null });
      }
    }
  }

  #stopAll(room: number): void {
    for (const typist of this.#typing.get(room) ?? []) typist.cancel();
    this.#typing.delete(room);
  }
}
