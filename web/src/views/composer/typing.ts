/** Who is typing, as a sentence. */
import type { Phrase } from "../timeline/sentences";

/** Empty for nobody. */
export function typingSentence(names: readonly string[]): Phrase[] {
  const [one, two] = names;
  if (one === undefined) return [];
  if (two === undefined) return [{ name: one }, " is typing…"];
  if (names.length === 2) return [{ name: one }, " and ", { name: two }, " are typing…"];
  return ["Several people are typing…"];
}
