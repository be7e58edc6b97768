/** Which rows of a long history are in the page: a few hundred around what is read, so that years of scrolling stay light. */

export interface RowWindow {
  /** Index of the first row shown. */
  from: number;
  /** Index after the last row shown. */
  to: number;
}

export const MOST = 300;
const STEP = 100;

/** The newest rows. */
export function atEnd(count: number): RowWindow {
  return { from: Math.max(0, count - MOST), to: count };
}

/** Around one row. */
export function around(index: number, count: number): RowWindow {
  const from = Math.max(0, Math.min(index - MOST / 2, count - MOST));
  return { from, to: Math.min(count, from + MOST) };
}

/** More of what lies before, giving up what lies far behind. */
export function earlier(window: RowWindow): RowWindow {
  const from = Math.max(0, window.from - STEP);
  return { from, to: Math.min(window.to, from + MOST) };
}

/** More of what comes after, giving up what lies far before. */
export function later(window: RowWindow, count: number): RowWindow {
  const to = Math.min(count, window.to + STEP);
  return { from: Math.max(window.from, to - MOST), to };
}

interface Keyed {
  readonly key: string;
  readonly kind: string;
}

/**
 * The window over new rows that shows what it showed over the old ones: rows are known by their keys. What is loaded at an
 * end that was shown is shown too; what is too much then goes at the other end, or, while the newest are read, at the
 * beginning. Nothing in common means another place of the history: its end.
 */
export function follow(window: RowWindow, before: readonly Keyed[], after: readonly Keyed[], readsEnd: boolean): RowWindow {
  // Only messages keep their place: the row of a day moves up when older messages of that day come.
  const wasAt = before.findIndex((row, index) => index >= window.from && row.kind === "message");
  const isAt = wasAt < 0 ? -1 : after.findIndex((row) => row.key === before[wasAt]?.key);
  if (isAt < 0) return atEnd(after.length);
  const moved = isAt - wasAt;
  const from = window.from === 0 ? 0 : Math.max(0, window.from + moved);
  const to = window.to >= before.length ? after.length : Math.min(after.length, window.to + moved);
  if (to - from <= MOST) return { from, to };
  return readsEnd ? { from: to - MOST, to } : { from, to: from + MOST };
}
