/** How well what a person typed fits a name: by the beginnings of its words. */

const SEPARATORS = /[\s\-_.·/#@()]+/u;

/** Without accents, case and width, so that "zoe" finds "Zoë". */
export function plain(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();
}

/**
 * A figure above 0 when it fits, greater is better: each word typed must begin a word of the name ("d eng" finds
 * "difference-engine"), or else all of it must stand somewhere in the name. An empty query fits all with 1.
 */
export function fit(query: string, name: string): number {
  const wanted = plain(query).split(SEPARATORS).filter(Boolean);
  if (wanted.length === 0) return 1;
  const whole = plain(name);
  if (whole === wanted.join(" ")) return 100;
  const words = whole.split(SEPARATORS).filter(Boolean);
  let score = 0;
  let last = -1;
  for (const part of wanted) {
    const at = words.findIndex((word) => word.startsWith(part));
    if (at < 0) return whole.includes(plain(query).trim()) ? 2 : 0;
    score += (at > last ? 10 : 5) + (at === 0 ? 10 : 0) + part.length / (words[at]?.length ?? 1);
    last = at;
  }
  return score;
}

/** Those that fit any of their names, best first; equals keep their order. At most `limit` of them. */
export function ranked<Item>(items: Item[], query: string, names: (item: Item) => string[], limit: number): Item[] {
  return items
    .map((item) => ({ item, score: Math.max(...names(item).map((name) => fit(query, name))) }))
    .filter((found) => found.score > 0)
    .sort((one, other) => other.score - one.score)
    .slice(0, limit)
    .map((found) => found.item);
}

/** The name in pieces, those that the query hit set apart: for showing why something was found. */
export function marked(name: string, query: string): { text: string; hit: boolean }[] {
  const wanted = plain(query).split(SEPARATORS).filter(Boolean);
  const hits: [number, number][] = [];
  for (const word of name.matchAll(/[^\s\-_.·/#@()]+/gu)) {
    // Only where one letter of the plain word stands for one of the real one can the hit be cut out.
    if (plain(word[0]).length !== word[0].length) continue;
    const part = wanted.find((one) => plain(word[0]).startsWith(one));
    if (part) hits.push([word.index, word.index + part.length]);
  }
  const pieces: { text: string; hit: boolean }[] = [];
  let from = 0;
  for (const [begin, end] of hits) {
    if (begin > from) pieces.push({ text: name.slice(from, begin), hit: false });
    pieces.push({ text: name.slice(begin, end), hit: true });
    from = end;
  }
  if (from < name.length) pieces.push({ text: name.slice(from), hit: false });
  return pieces;
}
