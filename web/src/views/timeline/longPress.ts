/** A finger held still on something opens its menu, as a right click would. */
import type { Attachment } from "svelte/attachments";

const HELD = 450; // ms
const STRAY = 10; // px

export function longPress(open: (at: { x: number; y: number }) => void): Attachment<HTMLElement> {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let begun = { x: 0, y: 0 };
    let opened = false;
    const stop = (): void => clearTimeout(timer);
    const down = (event: PointerEvent): void => {
      stop();
      opened = false;
      if (event.pointerType !== "touch" || !event.isPrimary) return;
      begun = { x: event.clientX, y: event.clientY };
      timer = setTimeout(() => {
        opened = true;
        open(begun);
      }, HELD);
    };
    const move = (event: PointerEvent): void => {
      if (Math.hypot(event.clientX - begun.x, event.clientY - begun.y) > STRAY) stop();
    };
    // The finger that opened the menu does not also follow the link it lay on.
    const click = (event: MouseEvent): void => {
      if (!opened) return;
      opened = false;
      event.preventDefault();
      event.stopPropagation();
    };
    // Android shows a menu of its own for a held finger; a mouse keeps the browser's.
    const menu = (event: MouseEvent): void => {
      if ((event as PointerEvent).pointerType === "touch") event.preventDefault();
    };
    const listeners = { pointerdown: down, pointermove: move, pointerup: stop, pointercancel: stop, contextmenu: menu };
    for (const [name, listener] of Object.entries(listeners)) element.addEventListener(name, listener as EventListener);
    element.addEventListener("click", click, { capture: true });
    return () => {
      stop();
      for (const [name, listener] of Object.entries(listeners)) element.removeEventListener(name, listener as EventListener);
      element.removeEventListener("click", click, { capture: true });
    };
  };
}
