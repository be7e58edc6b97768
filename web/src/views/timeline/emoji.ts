/** Is a message nothing but an emoji or a few? Then it is shown large. */

const MOST = 3;
const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });
// A flag is two regional indicators; a keycap a digit with a sign around it; text signs such as © become emoji only with \ufe0f.
const EMOJI = /^(?:\p{RI}{2}|[0-9#*]\ufe0f?\u20e3|\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|\p{Emoji}\p{EMod}).*$/u;

export function bigEmoji(text: string): boolean {
  const bare = text.replace(/\s+/gu, "");
  // Longer than any three emoji: no need to walk through it.
  if (bare === "" || bare.length > 100) return false;
  const found = [...letters.segment(bare)];
  return found.length <= MOST && found.every(({ segment }) => EMOJI.test(segment));
}
