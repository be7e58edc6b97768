/** Keys that work wherever the focus is. */
import type { App } from "../../lib/app.svelte";
import { modHeld } from "../../parts/keys";
import type { Screen } from "../screen.svelte";

const STOPS = ["rooms", "main", "composer-text", "panel"];

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Moves the focus to the next (or previous) part of the screen that is in sight. */
function stepRegion(backwards: boolean): void {
  const stops = STOPS.map((id) => document.getElementById(id)).filter((stop) => stop !== null && stop.offsetParent !== null);
  // The composer lies inside main: the innermost stop that holds the focus is where one is.
  const at = stops.findLastIndex((stop) => stop?.contains(document.activeElement));
  const next = stops[(at + (backwards ? -1 : 1) + stops.length) % stops.length];
  const row = next?.id === "rooms" ? next.querySelector<HTMLElement>("[data-row][tabindex='0']") : null;
  (row ?? next)?.focus();
}

export function shortcuts(app: App, screen: Screen): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (modHeld(event) && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      screen.open({ name: "switcher" });
      return;
    }
    // A dialog and an open menu have the keyboard to themselves; the browser closes them on Esc.
    if (screen.dialog || document.querySelector(":popover-open")) return;
    if (event.key === "F6") {
      event.preventDefault();
      stepRegion(event.shiftKey);
    } else if (event.key === "?" && !typing(event.target)) {
      event.preventDefault();
      screen.open({ name: "help" });
    } else if (event.key === "Escape") {
      const { name } = app.router.route;
      if (name !== "members" && name !== "person") return;
      event.preventDefault();
      app.router.back();
    }
  };
}
