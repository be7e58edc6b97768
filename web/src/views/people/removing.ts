/** The question before somebody is taken out of a room. */
import type { App } from "../../lib/app.svelte";
import type { Room, User } from "../../lib/types";
import type { Question } from "../screen.svelte";

export function removing(app: App, room: Room, user: User): Question {
  const back = room.kind === "public" ? "They can come back: the room is open to everybody." : "Its members can add them again.";
  return {
    title: `Remove ${user.name} from ${room.name}?`,
    text: `From this moment on they hear nothing of it any more. What they wrote stays. ${back}`,
    action: "Remove",
    danger: true,
    run: () => app.rooms.removeMember(room.id, user.id),
  };
}
