/** Says aloud what others write in the open room, and only that: not history, not one's own words. */
import { untrack } from "svelte";
import type { App } from "../../lib/app.svelte";
import type { Timeline } from "../../lib/timeline.svelte";
import { isText } from "../../lib/types";

// Who comes back after a while wants to know how many there are, not to hear them all.
const ONE_BY_ONE = 3;
const LONGEST = 300; // characters of one message

/** The returned function reads the timeline's messages, for use in an effect. */
export function announcer(app: App, say: (text: string) => void): (timeline: Timeline) => void {
  let heard: number | null = null;
  return (timeline) => {
    const messages = timeline.messages;
    if (!timeline.loaded || !timeline.live) return;
    const newest = messages.at(-1)?.seq ?? 0;
    if (heard === null) {
      heard = newest;
      return;
    }
    const before = heard;
    heard = Math.max(heard, newest);
    untrack(() => {
      const fresh = messages.filter((message) => message.seq > before && isText(message) && message.sender.id !== app.me?.id);
      if (fresh.length > ONE_BY_ONE) say(`${fresh.length} new messages`);
      else if (fresh.length > 0) {
        say(fresh.map((message) => `${app.people.of(message.sender).name}: ${message.text.slice(0, LONGEST)}`).join(". "));
      }
    });
  };
}
