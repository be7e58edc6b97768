/** When somebody was last here, as a sentence. */
import type { User } from "../../lib/types";
import { ago } from "../times";

/** "Seen yesterday"; "Not seen yet" for those who never were here. */
export function seenWords(user: User, now: Date): string {
  if (user.deactivated) return "Deactivated";
  return user.last_seen ? `Seen ${ago(user.last_seen, now)}` : "Not seen yet";
}
