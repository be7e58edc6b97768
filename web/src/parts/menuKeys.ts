/** Moving through a menu, which is one Tab stop: which entry the keys lead to. */

/** Index after an arrow, Home or End, round at the ends; undefined for any other key. `at` is -1 where none has the focus. */
export function nextByKey(key: string, at: number, count: number): number | undefined {
  if (count === 0) return undefined;
  if (key === "ArrowDown") return (at + 1) % count;
  if (key === "ArrowUp") return at <= 0 ? count - 1 : at - 1;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return undefined;
}

/** Index of the next entry after `at` whose words begin with the letter, round at the end; undefined where none does. */
export function nextByLetter(letter: string, at: number, words: string[]): number | undefined {
  const wanted = letter.toLocaleLowerCase();
  for (let step = 1; step <= words.length; step++) {
    const index = (at + step) % words.length;
    if (words[index]?.trim().toLocaleLowerCase().startsWith(wanted)) return index;
  }
  return undefined;
}
