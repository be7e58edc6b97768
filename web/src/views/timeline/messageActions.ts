/** What can be done to a message: the same from its menu and from the keyboard. */
import type { Message } from "../../lib/types";
import type { MenuItem } from "../../parts/Menu.svelte";

export interface MessageActions {
  edit: (message: Message) => void;
  remove: (message: Message) => void;
  copyText: (message: Message) => void;
  copyLink: (message: Message) => void;
  /** May the reader change it? */
  own: (message: Message) => boolean;
}

export function messageItems(message: Message, actions: MessageActions): (MenuItem | null)[] {
  const items: (MenuItem | null)[] = [
    { label: "Copy text", icon: "copy", key: "C", onselect: () => actions.copyText(message) },
    { label: "Copy link", icon: "link", key: "L", onselect: () => actions.copyLink(message) },
  ];
  if (!actions.own(message)) return items;
  return [
    { label: "Edit", icon: "edit", key: "E", onselect: () => actions.edit(message) },
    ...items,
    null,
    { label: "Delete…", icon: "trash", key: "Del", danger: true, onselect: () => actions.remove(message) },
  ];
}

/** Does what the key stands for on the message that has the focus; false when it stands for nothing. */
export function keyAction(key: string, message: Message, actions: MessageActions): boolean {
  const does: Record<string, (message: Message) => void> = { c: actions.copyText, l: actions.copyLink };
  if (actions.own(message)) Object.assign(does, { e: actions.edit, Delete: actions.remove });
  const action = does[key.length === 1 ? key.toLowerCase() : key];
  action?.(message);
  return action !== undefined;
}
