/** Short news at the edge of the screen that go by themselves: what was done, sometimes with a way to take it back. */

export interface Toast {
  id: number;
  text: string;
  /** Says that it did not work; stays until it is closed. */
  failed: boolean;
  action?: { label: string; run: () => void };
}

const SHOWN = 5_000;
const SHOWN_WITH_ACTION = 10_000;
const MOST = 3;

/** One per client, made by the app and handed to the views. */
export class Toasts {
  list: Toast[] = $state([]);
  #nextId = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  show(text: string, action?: Toast["action"]): void {
    this.#add({ id: this.#nextId++, text, failed: false, ...(action && { action }) });
  }

  fail(text: string, action?: Toast["action"]): void {
    this.#add({ id: this.#nextId++, text, failed: true, ...(action && { action }) });
  }

  dismiss(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  /** While the pointer or the focus is on them nothing goes away. */
  hold(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  release(): void {
    for (const toast of this.list) this.#start(toast);
  }

  #add(toast: Toast): void {
    const superseded = this.list.slice(0, Math.max(0, this.list.length + 1 - MOST));
    for (const old of superseded) this.dismiss(old.id);
    this.list.push(toast);
    this.#start(toast);
  }

  #start(toast: Toast): void {
    if (toast.failed || this.#timers.has(toast.id)) return;
    const wait = toast.action ? SHOWN_WITH_ACTION : SHOWN;
    this.#timers.set(toast.id, setTimeout(() => this.dismiss(toast.id), wait));
  }
}
