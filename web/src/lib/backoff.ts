/** How long to wait before the next try to connect. */

const FIRST = 500;
const LONGEST = 30_000;
const AFTER_RESTART = 5_000;
const AFTER_TOO_MUCH = 15_000;

export interface Loss {
  /** The close code; 1006 when the connection just broke. */
  code: number;
  /** Tries since the connection last held. */
  tries: number;
  /** What `bye` asked for, in seconds. */
  reconnectIn?: number | undefined;
}

/** Milliseconds. `random` gives a number from 0 up to 1: thousands of clients must not come back in the same moment. */
export function waitBefore({ code, tries, reconnectIn }: Loss, random: () => number): number {
  const jitter = random() * Math.min(LONGEST, FIRST * 2 ** Math.min(tries, 10));
  if (reconnectIn !== undefined) return reconnectIn * 1000 + jitter;
  if (code === 1012) return random() * AFTER_RESTART;
  if (code === 4429) return AFTER_TOO_MUCH + random() * AFTER_TOO_MUCH;
  // The server did not understand us. Coming back at once would only repeat that.
  if (code === 1003 || code === 1007 || code === 1009) return LONGEST;
  return jitter;
}
