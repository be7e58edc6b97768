/** Which screen the address asks for, and which region a phone shows. */
import type { Visited } from "./environment";

export type SettingsSection = "profile" | "sessions" | "invitations" | "workspace";

export type Route =
  | { name: "home" }
  | { name: "room"; room: number; at?: number }
  | { name: "members"; room: number }
  | { name: "person"; user: number }
  | { name: "browse" }
  | { name: "settings"; section: SettingsSection }
  | { name: "unknown"; path: string };

export type Region = "rooms" | "main" | "panel";

const SECTIONS: readonly SettingsSection[] = ["profile", "sessions", "invitations", "workspace"];
const ID = "([1-9][0-9]{0,15})";
const ROOM = new RegExp(`^/rooms/${ID}(?:/at/${ID}|/(members))?$`);
const PERSON = new RegExp(`^/people/${ID}$`);
const SETTINGS = /^\/settings(?:\/([a-z]+))?$/;

export function routeOf(path: string): Route {
  const clean = path.length > 1 ? path.replace(/\/+$/, "") || "/" : path;
  if (clean === "/") return { name: "home" };
  if (clean === "/browse") return { name: "browse" };
  const room = ROOM.exec(clean);
  if (room) {
    const id = Number(room[1]);
    if (room[3]) return { name: "members", room: id };
    return room[2] ? { name: "room", room: id, at: Number(room[2]) } : { name: "room", room: id };
  }
  const person = PERSON.exec(clean);
  if (person) return { name: "person", user: Number(person[1]) };
  const settings = SETTINGS.exec(clean);
  if (settings) {
    const section = SECTIONS.find((name) => name === (settings[1] ?? "profile"));
    if (section) return { name: "settings", section };
  }
  return { name: "unknown", path };
}

export function pathOf(route: Route): string {
  switch (route.name) {
    case "home":
      return "/";
    case "room":
      return route.at === undefined ? `/rooms/${route.room}` : `/rooms/${route.room}/at/${route.at}`;
    case "members":
      return `/rooms/${route.room}/members`;
    case "person":
      return `/people/${route.user}`;
    case "browse":
      return "/browse";
    case "settings":
      return route.section === "profile" ? "/settings" : `/settings/${route.section}`;
    case "unknown":
      return route.path;
  }
}

/** What is kept with each entry of the history: how many of ours lie before it, and the room behind a panel. */
interface Entry {
  depth: number;
  room: number | null;
}

function entryOf(state: unknown): Entry {
  const { depth, room } = (state ?? {}) as Partial<Entry>;
  return { depth: typeof depth === "number" ? depth : 0, room: typeof room === "number" ? room : null };
}

export class Router {
  route: Route = $state.raw({ name: "home" });
  /** The room in the main region, also while a panel lies over or beside it. */
  room: number | null = $state(null);
  /** The one region that a narrow screen shows. */
  readonly region: Region = $derived.by(() => {
    if (this.route.name === "home") return "rooms";
    return this.route.name === "members" || this.route.name === "person" ? "panel" : "main";
  });

  readonly #visited: Visited;
  readonly #moved: (route: Route, room: number | null) => void;
  #depth = 0;

  /** `moved` is told of every new route, the first one when start() is called. */
  constructor(visited: Visited, moved: (route: Route, room: number | null) => void) {
    this.#visited = visited;
    this.#moved = moved;
  }

  start(): void {
    this.#visited.listen(() => this.#read());
    this.#read();
  }

  go(to: Route, { replace = false } = {}): void {
    const path = pathOf(to);
    if (path === this.#visited.path && !replace) return this.#moved(this.route, this.room);
    this.#depth += replace ? 0 : 1;
    const entry: Entry = { depth: this.#depth, room: this.#roomOf(to, this.room) };
    if (replace) this.#visited.replace(path, entry);
    else this.#visited.push(path, entry);
    this.#set(to, entry.room);
  }

  /** One step back; where the client was entered right here, to what lies above. */
  back(): void {
    if (this.#depth > 0) this.#visited.back();
    else this.go(this.#above(), { replace: true });
  }

  #above(): Route {
    const panel = this.region === "panel";
    return panel && this.room !== null ? { name: "room", room: this.room } : { name: "home" };
  }

  #read(): void {
    const entry = entryOf(this.#visited.state);
    this.#depth = entry.depth;
    const route = routeOf(this.#visited.path);
    this.#set(route, this.#roomOf(route, entry.room));
  }

  #roomOf(route: Route, before: number | null): number | null {
    if (route.name === "room" || route.name === "members") return route.room;
    return route.name === "person" ? before : null;
  }

  #set(route: Route, room: number | null): void {
    this.route = route;
    this.room = room;
    this.#moved(route, room);
  }
}
