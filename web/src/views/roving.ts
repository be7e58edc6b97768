/** One Tab stop for a list: arrows, Home and End move inside it. */
import type { Attachment } from "svelte/attachments";

/** On the element around the rows; `selector` finds what can take the focus, in order. */
export function roving(selector: string): Attachment<HTMLElement> {
  return (list) => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const all = [...list.querySelectorAll<HTMLElement>(selector)].filter((element) => element.offsetParent !== null);
      const at = all.findIndex((element) => element === document.activeElement);
      if (at < 0) return;
      const targets: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
      const target = all[targets[event.key] ?? -1];
      if (!(event.key in targets)) return;
      event.preventDefault();
      target?.focus();
    };
    list.addEventListener("keydown", press);
    return () => list.removeEventListener("keydown", press);
  };
}
