/** What the person began to write in each room, kept until it is sent. */
import { SvelteMap } from "svelte/reactivity";
import type { Shelf } from "./environment";

const PREFIX = "roomful:draft:";

export class Drafts {
  readonly #shelf: Shelf;
  readonly #texts = new SvelteMap<number, string>();
  #user = 0;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Takes up this person's drafts. */
  open(user: number): void {
    if (user === this.#user) return;
    this.#user = user;
    this.#texts.clear();
    const mine = this.#key("");
    for (let index = 0; index < this.#shelf.length; index += 1) {
      const key = this.#shelf.key(index);
      if (key?.startsWith(mine)) this.#texts.set(Number(key.slice(mine.length)), this.#shelf.getItem(key) ?? "");
    }
  }

  get(room: number): string {
    return this.#texts.get(room) ?? "";
  }

  has(room: number): boolean {
    return this.get(room).trim() !== "";
  }

  /** An empty text forgets it. */
  set(room: number, text: string): void {
    if (text === "") {
      this.#texts.delete(room);
      this.#shelf.removeItem(this.#key(room));
    } else {
      this.#texts.set(room, text);
      this.#shelf.setItem(this.#key(room), text);
    }
  }

  /** Forgets those of this person on the page; the shelf is emptied as a whole. */
  clear(): void {
    this.#texts.clear();
  }

  #key(room: number | ""): string {
    return `${PREFIX}${this.#user}:${room}`;
  }
}
