/** The room that was open last on this device: where a wide window begins. Goes with everything else of ours at sign-out. */

const KEY = "roomful:last-room";

export function rememberRoom(room: number): void {
  try {
    localStorage.setItem(KEY, String(room));
  } catch (error) {
    // Storage is off or full: next time it begins at the first room.
    console.info("The room that is open cannot be remembered.", error);
  }
}

/** Null when there is none, or storage is off. */
export function rememberedRoom(): number | null {
  try {
    return Number(localStorage.getItem(KEY)) || null;
  } catch {
    return null;
  }
}
