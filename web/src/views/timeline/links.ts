/** Where the web addresses in a message are. Only http and https become links; everything else stays text. */

export type Piece = { kind: "text"; text: string } | { kind: "link"; text: string; address: string };

// An address ends at white space, at what cannot stand in one, at East Asian punctuation, and at marks that turn the
// direction of writing, since those could make an address read like another one.
const ADDRESS = /\bhttps?:\/\/[^\s<>"`{}|\\^\u200e\u200f\u202a-\u202e\u2066-\u2069\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+/giu;
const CLOSERS: Record<string, string> = { ")": "(", "]": "[" };

/** Leaves off what ends the sentence and not the address: "see https://a.example/b_(c)." ends before the full stop. */
function withoutEnding(address: string): string {
  // How many more brackets close than open, kept while letters are taken off: one pass, however long the text is.
  const surplus: Record<string, number> = {};
  for (const [closer, opener] of Object.entries(CLOSERS)) {
    surplus[closer] = address.split(closer).length - address.split(opener).length;
  }
  let end = address.length;
  while (end > 0) {
    const last = address.charAt(end - 1);
    const over = surplus[last];
    if (over === undefined ? !".,:;!?'*_~".includes(last) : over <= 0) break;
    if (over !== undefined) surplus[last] = over - 1;
    end -= 1;
  }
  return address.slice(0, end);
}

function hasHost(address: string): boolean {
  return URL.canParse(address) && /[\p{L}\p{N}]/u.test(new URL(address).hostname);
}

/** The text in order, cut where links begin and end; the texts of all pieces joined are the text again. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutEnding(match[0]);
    if (!hasHost(address)) continue;
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    found.push({ kind: "link", text: address, address });
    from = match.index + address.length;
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}
