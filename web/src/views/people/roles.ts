/** What the roles of a workspace let people do, as the views have to know it. The server checks it again. */
import type { Role, Room, User } from "../../lib/types";

export function isAdmin(user: User | null): boolean {
  return user?.role === "owner" || user?.role === "admin";
}

export function isGuest(user: User | null): boolean {
  return user?.role === "guest";
}

/** What is said beside a name; a plain member needs no word. */
export function roleWord(user: User, me: User | null): string {
  if (user.id === me?.id) return "you";
  if (user.kind && user.kind !== "person") return user.kind;
  return user.role === "member" ? "" : user.role;
}

/** Roles that `me` may give to `other`; empty when it is not theirs to change. */
export function rolesToGive(me: User | null, other: User): Role[] {
  if (!me || me.id === other.id || !isAdmin(me)) return [];
  if (me.role === "owner") return ["owner", "admin", "member", "guest"];
  return other.role === "owner" ? [] : ["admin", "member", "guest"];
}

export const ROLE_MEANING: Record<Role, string> = {
  owner: "Everything, and who else is owner",
  admin: "Runs the workspace: people, rooms, invitations",
  member: "Makes rooms and joins public ones",
  guest: "Only the rooms they were added to",
};

/** Guests take part in a room but do not run it. */
export function mayEditRoom(me: User | null, room: Room): boolean {
  return room.member && room.kind !== "direct" && !isGuest(me);
}
