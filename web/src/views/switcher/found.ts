/** What the switcher offers for what was typed: rooms, people, things to do; the best first. */
import type { App } from "../../lib/app.svelte";
import type { Room, User } from "../../lib/types";
import type { IconName } from "../../parts/icons";
import { isAdmin, isGuest } from "../people/roles";
import type { Screen } from "../screen.svelte";
import { ranked } from "./match";

export type Option =
  | { key: string; group: "Rooms"; name: string; note: string; room: Room; run: () => void }
  | { key: string; group: "People"; name: string; note: string; user: User; run: () => void }
  | { key: string; group: "Actions"; name: string; note: string; icon: IconName; run: () => void };

const MOST_ROOMS = 8;
const MOST_PEOPLE = 6;
const MOST_ACTIONS = 5;

export function options(app: App, screen: Screen, typed: string, people: readonly User[]): Option[] {
  // "#" asks for rooms only, "@" for people only.
  const only = typed.startsWith("#") ? "Rooms" : typed.startsWith("@") ? "People" : null;
  const query = (only ? typed.slice(1) : typed).trim();
  const found: Option[] = [];
  if (only !== "People") found.push(...rooms(app, query));
  if (only !== "Rooms") found.push(...persons(app, screen, query, people));
  if (only === null) found.push(...actions(app, screen, query));
  return found;
}

function rooms(app: App, query: string): Option[] {
  // With nothing typed the unread ones come first, then those where somebody wrote last.
  const all = [...app.rooms.all.values()]
    .filter((room) => !room.archived || query !== "")
    .sort((one, other) => Number(other.unread > 0) - Number(one.unread > 0) || (other.last_at ?? "").localeCompare(one.last_at ?? ""));
  return ranked(all, query, (room) => [app.rooms.title(room), ...(room.with ? [room.with.username] : [])], MOST_ROOMS).map((room) => ({
    key: `room-${room.id}`,
    group: "Rooms" as const,
    name: app.rooms.title(room),
    note: room.archived ? "archived" : room.kind === "direct" ? "direct" : room.topic || (room.kind === "private" ? "private" : ""),
    room,
    run: () => app.router.go({ name: "room", room: room.id }),
  }));
}

function persons(app: App, screen: Screen, query: string, people: readonly User[]): Option[] {
  const directs = new Set([...app.rooms.all.values()].map((room) => room.with?.id));
  // Those with a conversation stand among the rooms already.
  const others = people.filter((user) => user.id !== app.me?.id && !user.deactivated && !directs.has(user.id));
  return ranked(others, query, (user) => [user.name, user.username], MOST_PEOPLE).map((user) => ({
    key: `person-${user.id}`,
    group: "People" as const,
    name: user.name,
    note: `@${user.username}`,
    user,
    run: () => void screen.attempt(app.rooms.openDirect(user.id).then((room) => app.router.go({ name: "room", room: room.id }))),
  }));
}

function actions(app: App, screen: Screen, query: string): Option[] {
  const all: { name: string; icon: IconName; run: () => void }[] = [];
  if (!isGuest(app.me)) {
    all.push(
      { name: "Browse rooms", icon: "search", run: () => app.router.go({ name: "browse" }) },
      { name: "New room", icon: "plus", run: () => screen.open({ name: "create-room" }) },
    );
  }
  all.push({ name: "New conversation", icon: "edit", run: () => screen.open({ name: "start-direct" }) });
  if (isAdmin(app.me)) all.push({ name: "Invite people", icon: "user-plus", run: () => screen.open({ name: "invite" }) });
  all.push(
    { name: "Settings", icon: "settings", run: () => app.router.go({ name: "settings", section: "profile" }) },
    { name: "Keys and shortcuts", icon: "info", run: () => screen.open({ name: "help" }) },
  );
  const fitting = ranked(all, query, (action) => [action.name], MOST_ACTIONS);
  if (query !== "" && !isGuest(app.me)) {
    fitting.push({ name: `Create a room named “${query}”`, icon: "plus", run: () => screen.open({ name: "create-room", roomName: query }) });
  }
  return fitting.map(({ name, icon, run }) => ({ key: `action-${name}`, group: "Actions" as const, name, note: "", icon, run }));
}
