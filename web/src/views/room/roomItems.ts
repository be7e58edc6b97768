/** What can be done with a room, for its menu. */
import type { App } from "../../lib/app.svelte";
import type { Room } from "../../lib/types";
import type { MenuItem } from "../../parts/Menu.svelte";
import { mayEditRoom } from "../people/roles";
import type { Screen } from "../screen.svelte";
import { pathOf } from "../../lib/router.svelte";

export function roomItems(app: App, screen: Screen, room: Room): (MenuItem | null)[] {
  const title = app.rooms.title(room);
  const items: (MenuItem | null)[] = [];
  const home = (): void => app.router.go({ name: "home" }, { replace: true });

  const other = room.with;
  if (other) {
    items.push({ label: "Profile", icon: "user", onselect: () => app.router.go({ name: "person", user: other.id }) });
  } else {
    items.push({ label: "Members", icon: "users", onselect: () => app.router.go({ name: "members", room: room.id }) });
  }
  if (mayEditRoom(app.me, room) && !room.archived) {
    items.push(
      { label: "Add people", icon: "user-plus", onselect: () => screen.open({ name: "add-members", room }) },
      { label: "Name and topic", icon: "edit", onselect: () => screen.open({ name: "edit-room", room }) },
    );
  }
  items.push({
    label: "Copy link to room",
    icon: "link",
    onselect: () => void screen.copy(location.origin + pathOf({ name: "room", room: room.id }), "Link copied"),
  });
  const muted = room.involvement === "nothing";
  items.push({
    label: "Mute",
    icon: "bell-off",
    checked: muted,
    onselect: () =>
      void screen.attempt(
        app.rooms.involve(room.id, muted ? "everything" : "nothing"),
        muted ? `${title} counts as unread again when somebody writes.` : `${title} is muted: it stays quiet in your list.`,
      ),
  });
  if (room.kind === "direct") return items;
  items.push(null);
  if (mayEditRoom(app.me, room)) items.push(room.archived ? reopening() : archiving());
  items.push({
    label: "Leave room",
    icon: "sign-out",
    danger: true,
    onselect: () =>
      screen.ask({
        title: `Leave ${title}?`,
        text: room.kind === "public" ? "You can come back at any time: it is open to everybody." : "Only its members can let you in again.",
        action: "Leave",
        danger: true,
        run: async () => {
          await app.rooms.leave(room.id);
          home();
        },
      }),
  });
  return items;

  function archiving(): MenuItem {
    return {
      label: "Archive room",
      icon: "archive",
      onselect: () =>
        screen.ask({
          title: `Archive ${title}?`,
          text: "Nobody can write in it any more and it leaves the lists. It can still be read, and reopened.",
          action: "Archive",
          run: () => app.rooms.archive(room.id, true),
        }),
    };
  }

  function reopening(): MenuItem {
    return { label: "Reopen room", icon: "retry", onselect: () => void screen.attempt(app.rooms.archive(room.id, false), `${title} is open again.`) };
  }
}
