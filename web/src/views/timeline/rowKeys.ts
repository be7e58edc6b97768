/** The keyboard in a timeline: arrows lead from message to message, letters do something to the one that has the focus. */
import type { Message } from "../../lib/types";
import { keyAction, type MessageActions } from "./messageActions";

interface Needed {
  list: HTMLElement;
  messageOf: (id: number) => Message | undefined;
  actions: MessageActions;
  openMenu: (message: Message, at: { x: number; y: number }) => void;
}

export function rowKeys(event: KeyboardEvent, { list, messageOf, actions, openMenu }: Needed): void {
  const all = [...list.querySelectorAll<HTMLElement>("[data-message]")];
  const at = all.findIndex((row) => row === event.target);
  const row = all[at];
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const targets: Record<string, number> = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 };
  if (event.key in targets) {
    event.preventDefault();
    all[targets[event.key] ?? at]?.focus();
    return;
  }
  const message = messageOf(Number(row.dataset["message"]));
  if (!message || message.deleted) return;
  if (event.key === "Enter") {
    const box = row.getBoundingClientRect();
    openMenu(message, { x: box.left + row.clientWidth / 4, y: Math.min(box.bottom, innerHeight) });
  } else if (!keyAction(event.key, message, actions)) return;
  event.preventDefault();
}
