/** What stands on an avatar without a picture: letters from the name, a colour from the user's id. */

const PERSON_COLOURS = 8;
const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function firstLetter(word: string): string {
  // By grapheme, so that an accent, a flag or a family stays whole.
  for (const { segment } of letters.segment(word)) if (/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(segment)) return segment;
  return "";
}

/** One or two letters: of the first and the last word, or "?" when the name holds neither letter nor digit. */
export function initials(name: string): string {
  const found = name.trim().split(/[\s_.-]+/u).map(firstLetter).filter(Boolean);
  const first = found[0] ?? "?";
  const last = found.length > 1 ? (found[found.length - 1] ?? "") : "";
  return (first + last).toLocaleUpperCase();
}

/** Number of the person colour, 1 to 8, for a user id; ids are numbers or their decimal digits. */
export function personColour(userId: number | string): number {
  const last = typeof userId === "number" ? userId : Number(userId.slice(-6));
  return Number.isSafeInteger(last) ? (Math.abs(last) % PERSON_COLOURS) + 1 : 1;
}
