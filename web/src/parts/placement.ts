/** Where a floating thing goes: below its anchor, above when there is more room, never over the window's edge. */

const GAP = 4;
const EDGE = 8;

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface Size {
  width: number;
  height: number;
}

/** Left and top in px for something of the given size in a window of the given size. */
export function place(anchor: Box, size: Size, room: Size): { left: number; top: number } {
  const fitsBelow = anchor.bottom + GAP + size.height <= room.height - EDGE;
  const moreRoomAbove = anchor.top > room.height - anchor.bottom;
  const top = fitsBelow || !moreRoomAbove ? anchor.bottom + GAP : anchor.top - GAP - size.height;
  const fitsRightwards = anchor.left + size.width <= room.width - EDGE;
  const left = fitsRightwards ? anchor.left : anchor.right - size.width;
  const within = (value: number, most: number) => Math.max(EDGE, Math.min(value, most - EDGE));
  return { left: within(left, room.width - size.width), top: within(top, room.height - size.height) };
}

/** The same for an element that is on the screen. */
export function besideAnchor(anchor: DOMRect, element: HTMLElement): { left: number; top: number } {
  const size = { width: element.offsetWidth, height: element.offsetHeight };
  return place(anchor, size, { width: window.innerWidth, height: window.innerHeight });
}
