/** Who is in a room, in pages, those who are here first. */
import type { People } from "./people.svelte";
import { asProblem, type ProblemError } from "./problem";
import type { Ask, Message, Presence, User } from "./types";

const ORDER: Record<Presence, number> = { online: 0, away: 1, offline: 2 };

interface Needed {
  ask: Ask;
  people: People;
}

export class Members {
  readonly room: number;
  total = $state(0);
  /** Are there more than those in the list? */
  more = $state(false);
  loading = $state(false);
  problem: ProblemError | null = $state.raw(null);
  /** Those loaded so far: online, away, offline; by name within. */
  readonly list: readonly User[] = $derived.by(() => this.#ids.map((id) => this.#needed.people.get(id)).filter((user) => user !== undefined).sort(this.#compare));

  readonly #needed: Needed;
  #ids: readonly number[] = $state.raw([]);
  #query = "";
  #turn = 0;

  constructor(room: number, needed: Needed) {
    this.room = room;
    this.#needed = needed;
  }

  /** The first page anew. */
  async load(): Promise<void> {
    await this.#page(undefined);
  }

  async loadMore(): Promise<void> {
    if (this.more && !this.loading) await this.#page(Math.max(0, ...this.#ids));
  }

  async search(query: string): Promise<void> {
    this.#query = query.trim();
    await this.#page(undefined);
  }

  /** A line of the room's log: somebody came or went. */
  async hear(message: Message): Promise<void> {
    const user = message.kind === "added" || message.kind === "removed" ? message.data?.user : message.sender;
    if (!user) return;
    if (message.kind === "joined" || message.kind === "added") {
      if (this.#ids.includes(user.id) || this.#query !== "") return;
      this.total += 1;
      // With more pages to come they are on one of them.
      if (this.more && user.id > Math.max(0, ...this.#ids)) return;
      this.#ids = [...this.#ids, user.id];
      if (!this.#needed.people.get(user.id)) await this.#needed.people.load(user.id).catch(() => this.load());
    } else if (message.kind === "left" || message.kind === "removed") {
      if (this.#ids.includes(user.id) || this.more) this.total = Math.max(0, this.total - 1);
      this.#ids = this.#ids.filter((id) => id !== user.id);
    }
  }

  async #page(after: number | undefined): Promise<void> {
    const turn = ++this.#turn;
    this.loading = true;
    this.problem = null;
    try {
      const fields = { room: this.room, ...(this.#query ? { query: this.#query } : {}), ...(after === undefined ? {} : { after }) };
      const page = await this.#needed.ask("member.list", fields);
      if (turn !== this.#turn) return;
      this.#needed.people.learn(page.members);
      const ids = page.members.map((user) => user.id);
      this.#ids = after === undefined ? ids : [...new Set([...this.#ids, ...ids])];
      this.total = page.total;
      this.more = page.more;
    } catch (error) {
      if (turn === this.#turn) this.problem = asProblem(error);
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }

  readonly #compare = (one: User, other: User): number => {
    const { people } = this.#needed;
    return ORDER[people.presence(one.id)] - ORDER[people.presence(other.id)] || one.name.localeCompare(other.name) || one.id - other.id;
  };
}
