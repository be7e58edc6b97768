/** The rows of a timeline that are in the page, following it as it changes. */
import type { Row } from "./rows";
import { around, atEnd, earlier, follow, later, type RowWindow } from "./rowWindow";

export class ShownRows {
  /** What to render: the window, below the day that its first message was written on. */
  readonly rows: readonly Row[] = $derived.by(() => {
    const all = this.#all();
    const { from, to } = this.#window;
    const day = all[from]?.kind === "day" ? undefined : all.findLast((row, index) => index < from && row.kind === "day");
    return day ? [day, ...all.slice(from, to)] : all.slice(from, to);
  });
  /** Are there loaded rows before and after those shown? */
  readonly before: boolean = $derived.by(() => this.#window.from > 0);
  readonly after: boolean = $derived.by(() => this.#window.to < this.#all().length);

  readonly #all: () => readonly Row[];
  #window: RowWindow = $state.raw({ from: 0, to: 0 });
  #known: readonly Row[] = [];

  constructor(all: () => readonly Row[]) {
    this.#all = all;
  }

  /** Call it before the page is updated, whenever the timeline's rows have changed. */
  update(readsEnd: boolean): void {
    const rows = this.#all();
    if (rows === this.#known) return;
    this.#window = follow(this.#window, this.#known, rows, readsEnd);
    this.#known = rows;
  }

  earlier(): void {
    this.#window = earlier(this.#window);
  }

  later(): void {
    this.#window = later(this.#window, this.#all().length);
  }

  toEnd(): void {
    this.#window = atEnd(this.#all().length);
  }

  toRow(isIt: (row: Row) => boolean): void {
    const index = this.#all().findIndex(isIt);
    if (index >= 0 && (index < this.#window.from || index >= this.#window.to)) this.#window = around(index, this.#all().length);
  }
}
