/** A clock that only moves when a test says so. */
import type { Clock } from "../environment";

interface Timer {
  at: number;
  run(): void;
}

// Node's own; the project's types are a browser's.
declare function setImmediate(run: (value?: unknown) => void): void;

/** Lets everything run that was about to: a transaction of the fake IndexedDB takes many turns of the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await new Promise(setImmediate);
}

export class FakeClock implements Clock {
  #now = Date.parse("2026-11-24T09:00:00Z");
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.#now + milliseconds, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on, stopping at each timer that is due. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      await settle();
      const next = [...this.#timers].filter((timer) => timer.at <= end).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
    await settle();
  }

  /** Moves without waking anybody: as when the machine slept. */
  sleep(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
