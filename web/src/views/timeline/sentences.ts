/** What a line of a timeline says when it is not a message: sentences in pieces, names set apart. */
import type { Message, Person } from "../../lib/types";
import type { IconName } from "../../parts/icons";

/** Names of people and rooms stand apart, since strangers chose them and each has its own direction of writing. */
export type Phrase = string | { name: string };

export interface Line {
  icon: IconName;
  phrases: Phrase[];
}

type CurrentName = (person: Person) => string;

/** Lines of these kinds, one after the other, are told together. */
const FOLDED = new Set(["joined", "left"]);
/** So many are named when several are told together. */
const NAMED = 2;

export function folds(kind: string | undefined): boolean {
  return FOLDED.has(kind ?? "");
}

/** "Ada", "Ada and Bob", "Ada, Bob and 3 others". */
function list(names: readonly string[]): Phrase[] {
  const named = names.length <= NAMED + 1 ? names : names.slice(0, NAMED);
  const others = names.length - named.length;
  const phrases: Phrase[] = [];
  named.forEach((name, index) => {
    if (index > 0) phrases.push(index === named.length - 1 && others === 0 ? " and " : ", ");
    phrases.push({ name });
  });
  if (others > 0) phrases.push(` and ${others} others`);
  return phrases;
}

/** What happened, as a sentence without its time; several messages are of one folding kind. Null for a kind that this client does not know. */
export function eventLine(messages: readonly Message[], nameOf: CurrentName): Line | null {
  const [first] = messages;
  if (!first) return null;
  const who: Phrase = { name: nameOf(first.sender) };
  const everybody = list([...new Set(messages.map((message) => nameOf(message.sender)))]);
  const data = first.data ?? {};
  const whom: Phrase = data.user ? { name: nameOf(data.user) } : "somebody";
  switch (first.kind) {
    case "created":
      return { icon: "plus", phrases: [who, " made this room"] };
    case "joined":
      return { icon: "user-plus", phrases: [...everybody, " joined"] };
    case "left":
      return { icon: "sign-out", phrases: [...everybody, " left"] };
    case "added":
      return { icon: "user-plus", phrases: [who, " added ", whom] };
    case "removed":
      return { icon: "sign-out", phrases: [who, " removed ", whom] };
    case "renamed":
      return { icon: "edit", phrases: [who, " renamed the room from ", { name: data.before ?? "" }, " to ", { name: data.name ?? "" }] };
    case "topic":
      return data.topic
        ? { icon: "edit", phrases: [who, " set the topic: ", { name: data.topic }] }
        : { icon: "edit", phrases: [who, " took the topic away"] };
    case "archived":
      return { icon: "archive", phrases: [who, " archived this room"] };
    case "restored":
      return { icon: "retry", phrases: [who, " reopened this room"] };
    default:
      return null;
  }
}
