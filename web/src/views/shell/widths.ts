/** Tells the screen how many regions fit, in rem: larger text folds the layout as a smaller window does. */
import type { Attachment } from "svelte/attachments";
import type { Screen } from "../screen.svelte";

// The same figures stand in the container queries of Shell.svelte.
const PANEL_BESIDE = 70;
const ROOMS_BESIDE = 46;

export function widths(screen: Screen, textSize: () => string): Attachment<HTMLElement> {
  return (shell) => {
    // Read so that this runs again when the person chooses another text size.
    textSize();
    const measure = (): void => {
      const rem = shell.clientWidth / parseFloat(getComputedStyle(document.documentElement).fontSize);
      screen.narrow = rem < ROOMS_BESIDE;
      screen.covering = rem < PANEL_BESIDE;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(shell);
    return () => observer.disconnect();
  };
}
