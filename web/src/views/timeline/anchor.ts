/** Keeps what is being read in its place while rows come and go around it. */

export interface Anchor {
  row: Element;
  /** Where it stood, from the window's top, px. */
  top: number;
}

/**
 * The first message in sight of a scroller that is laid from its bottom (column-reverse), or null when its bottom is in
 * sight: there the newest stays in sight by itself.
 */
export function anchorOf(scroller: HTMLElement, rows: HTMLCollection): Anchor | null {
  // A message stays between its neighbours; the row of a day moves up when older messages of that day come.
  if (scroller.scrollTop > -1) return null;
  const edge = scroller.getBoundingClientRect().top;
  // Rows lie in order, so the first that reaches below the edge is found by halving.
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle;
    else low = middle + 1;
  }
  while (low < rows.length && !rows[low]?.querySelector("[data-seq]")) low += 1;
  const row = rows[low];
  return row ? { row, top: row.getBoundingClientRect().top } : null;
}

/** After the rows have changed: scrolls by as much as the anchor moved. */
export function restore(scroller: HTMLElement, anchor: Anchor | null): void {
  if (!anchor?.row.isConnected) return;
  const moved = anchor.row.getBoundingClientRect().top - anchor.top;
  if (Math.abs(moved) >= 0.5) scroller.scrollTop += moved;
}
