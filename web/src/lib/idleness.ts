/** Tells the server when the person is away from the page, and when they are back. */
import type { Clock, Page, PageNews } from "./environment";
import type { Ask } from "./types";

const IDLE = 5 * 60_000;
/** A page out of sight counts as left after this: a glance at another tab should not make anybody look away. */
const HIDDEN = 60_000;

interface Needed {
  ask: Ask;
  clock: Clock;
  page: Page;
}

export class Idleness {
  readonly #needed: Needed;
  #away = false;
  #cancel = (): void => {};

  constructor(needed: Needed) {
    this.#needed = needed;
    needed.page.listen((news) => this.#hear(news));
    this.#watch(needed.page.visible ? IDLE : HIDDEN);
  }

  /** A new connection starts as online. */
  begin(): void {
    if (this.#away) this.#tell();
  }

  #hear(news: PageNews): void {
    if (news === "input" || news === "shown") {
      this.#watch(IDLE);
      if (this.#away) {
        this.#away = false;
        this.#tell();
      }
    } else if (news === "hidden") this.#watch(HIDDEN);
  }

  #watch(milliseconds: number): void {
    this.#cancel();
    this.#cancel = this.#needed.clock.after(milliseconds, () => {
      this.#away = true;
      this.#tell();
    });
  }

  #tell(): void {
    // Carries no promise; after a lost connection begin() tells it again.
    this.#needed.ask("presence.set", { state: this.#away ? "away" : "online" }).catch(() => undefined);
  }
}
