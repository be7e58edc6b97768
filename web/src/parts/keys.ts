/** What the keys are called on the machine in front of the person. */

const mac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

/** "Mod" is the key that shortcuts hold down. */
export function keyName(key: string): string {
  if (key === "Mod") return mac ? "⌘" : "Ctrl";
  return key;
}

/** True while exactly the shortcut key is held down: ⌘ on a Mac, Ctrl elsewhere. */
export function modHeld(event: KeyboardEvent): boolean {
  return (mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey) && !event.altKey;
}
