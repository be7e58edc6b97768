/** Waiting that can be cut short. */
import type { Clock } from "./environment";

export class Pauses {
  readonly #clock: Clock;
  readonly #sleepers = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#sleepers.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(milliseconds, done);
      this.#sleepers.add(done);
    });
  }

  /** Ends all waits now. */
  wake(): void {
    for (const done of [...this.#sleepers]) done();
  }
}
