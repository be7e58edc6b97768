/** Marks a room as read a moment after its newest message was in view, and again when that could not be told. */
import type { Clock } from "./environment";
import { asProblem } from "./problem";

const DELAY = 400;
const AGAIN = 5000;

interface Needed {
  clock: Clock;
  /** The seq up to which the person sees everything now; null while they do not look. */
  seen(): number | null;
  /** Rejects with a ProblemError. */
  mark(seq: number): Promise<void>;
}

export class ReadMark {
  readonly #needed: Needed;
  #cancel: (() => void) | null = null;

  constructor(needed: Needed) {
    this.#needed = needed;
  }

  /** Something may have been read: call it as often as you like. */
  consider(): void {
    if (this.#cancel === null && this.#needed.seen() !== null) this.#soon(DELAY);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #soon(wait: number): void {
    this.#cancel = this.#needed.clock.after(wait, () => {
      this.#cancel = null;
      void this.#mark();
    });
  }

  async #mark(): Promise<void> {
    const seq = this.#needed.seen();
    if (seq === null) return;
    try {
      await this.#needed.mark(seq);
    } catch (error) {
      const problem = asProblem(error);
      // Without a connection the next hello considers it again; a final refusal stays one.
      if (problem.code === "disconnected" || !problem.passing || this.#cancel !== null) return;
      this.#soon(problem.retryAfter === undefined ? AGAIN : problem.retryAfter * 1000);
    }
  }
}
