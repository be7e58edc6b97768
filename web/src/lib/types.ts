/** The shapes of the wire, as docs/protocol.md has them: what is told, what may be asked, and what comes back. */

export type Role = "owner" | "admin" | "member" | "guest";
export type Presence = "online" | "away" | "offline";
export type RoomKind = "public" | "private" | "direct";
export type Involvement = "everything" | "mentions" | "nothing";

/** The short form of a user that messages carry: as they were named when it was sent. */
export interface Person {
  id: number;
  username: string;
  name: string;
}

export interface User extends Person {
  role: Role;
  /** Left out for people. */
  kind?: string;
  presence: Presence;
  /** When they were last here: only when offline, and only if they ever were. */
  last_seen?: string | null;
  deactivated?: boolean;
}

export type LineKind =
  | "created"
  | "joined"
  | "left"
  | "added"
  | "removed"
  | "renamed"
  | "topic"
  | "archived"
  | "restored";

export interface LineData {
  name?: string;
  before?: string;
  topic?: string;
  user?: Person;
}

export interface Message {
  id: number;
  room: number;
  /** Its place in the room's log, for ever. */
  seq: number;
  /** Left out for a text. Kinds that this client does not know may come. */
  kind?: LineKind | "text" | (string & {});
  sender: Person;
  text: string;
  at: string;
  /** The seq of its latest change; left out when nothing has changed it. */
  changed?: number;
  edited_at?: string | null;
  /** A tombstone: the text is empty. */
  deleted?: boolean;
  data?: LineData | null;
}

export interface Room {
  id: number;
  kind: RoomKind;
  /** Empty for direct rooms: they are called after `with`. */
  name: string;
  topic: string;
  /** The newest seq in the room. */
  seq: number;
  archived?: boolean;
  /** Are you in it? */
  member: boolean;
  /** Your read position, a seq. */
  read: number;
  /** Texts of others after the read position, counted up to 100. */
  unread: number;
  mentions: number;
  involvement: Involvement;
  last_at: string | null;
  with?: User;
  /** How many people: only in `room.browse` and `room.get`. */
  members?: number;
}

/** Every message posted or changed after `from`, as it is now. */
export interface SyncPage {
  room: number;
  from: number;
  to: number;
  more: boolean;
  messages: Message[];
  reload?: false;
  left?: false;
}
/** Too far behind, or ahead: forget the room's messages and load the newest page. */
export interface SyncReload {
  room: number;
  reload: true;
  left?: false;
}
/** You are not in that room any more. */
export interface SyncLeft {
  room: number;
  left: true;
  reload?: false;
}
export type Sync = SyncPage | SyncReload | SyncLeft;

export interface Session {
  id: number;
  current: boolean;
  created_at: string;
  last_seen_at: string;
  address: string;
  device: string;
}

export interface Invitation {
  id: number;
  link: string;
  role: Role;
  uses: number;
  max_uses?: number | null;
  expires_at: string;
  created_by: Person;
  created_at: string;
  revoked_at?: string | null;
}

export interface Workspace {
  name: string;
  open_registration: boolean;
}

export interface Limits {
  /** Characters (code points) of a message. */
  text: number;
  /** Bytes of a frame. */
  frame: number;
  /** Messages of a page of history. */
  page: number;
  typing_seconds: number;
  name: number;
  topic: number;
}

export interface HelloEvent {
  event: "hello";
  protocol: number;
  server: string;
  epoch: string;
  time: string;
  connection: string;
  user: User;
  email: string;
  workspace: Workspace;
  limits: Limits;
  rooms: Room[];
}

export interface PostedEvent {
  event: "message.posted";
  room: number;
  seq: number;
  message: Message;
}
export interface ChangedEvent {
  event: "message.changed";
  room: number;
  seq: number;
  message: Message;
}
export interface SentEvent {
  event: "message.sent";
  nonce: string;
  message: Message;
}
export interface TypingEvent {
  event: "typing";
  room: number;
  user: Person;
}
export interface PresenceEvent {
  event: "presence.changed";
  online?: number[];
  away?: number[];
  offline?: number[];
}
export interface ReadEvent {
  event: "room.read";
  room: number;
  read: number;
  unread: number;
}

/** Everything the server tells by itself. Events of other names are ignored. */
export type ServerEvent =
  | HelloEvent
  | PostedEvent
  | ChangedEvent
  | SentEvent
  | TypingEvent
  | PresenceEvent
  | ReadEvent
  | { event: "room.sync"; sync: Sync }
  | { event: "room.joined"; room: Room }
  | { event: "room.left"; room: number; reason: "left" | "removed" }
  | { event: "room.involved"; room: number; involvement: Involvement }
  | { event: "user.changed"; user: User }
  | { event: "workspace.changed"; workspace: Workspace }
  | { event: "bye"; reconnect_in: number };

interface Nothing {
  readonly [field: string]: never;
}
interface RoomOnly {
  room: number;
}

/** A page of a room's history. */
export interface HistoryPage {
  /** Oldest first. */
  messages: Message[];
  older: boolean;
  newer: boolean;
  /** The room's newest seq when the page was read. */
  seq: number;
}

/** Where a page of history starts: one of the three, or none of them for the newest page. */
export interface HistoryPlace {
  before?: number;
  after?: number;
  around?: number;
}

/** Every verb: what it is asked with, and what it answers beside `id` and `ok`. */
export interface Commands {
  ping: { fields: Nothing; reply: Nothing };
  resume: { fields: { epoch: string; rooms: Record<string, number> }; reply: { rooms: Sync[] } };
  "room.list": { fields: Nothing; reply: { rooms: Room[] } };
  "room.browse": { fields: { query?: string }; reply: { rooms: Room[] } };
  "room.get": { fields: RoomOnly; reply: { room: Room } };
  "room.create": {
    fields: { name: string; kind: "public" | "private"; topic?: string; members?: number[] };
    reply: { room: Room };
  };
  "room.direct": { fields: { user: number }; reply: { room: Room } };
  "room.update": { fields: { room: number; name?: string; topic?: string }; reply: { room: Room } };
  "room.archive": { fields: { room: number; archived: boolean }; reply: { room: Room } };
  "room.join": { fields: RoomOnly; reply: { room: Room } };
  "room.leave": { fields: RoomOnly; reply: Nothing };
  "room.read": { fields: { room: number; seq: number }; reply: { room: number; read: number; unread: number } };
  "room.involve": { fields: { room: number; involvement: Involvement }; reply: { room: Room } };
  "room.sync": { fields: { room: number; after: number }; reply: { sync: Sync } };
  "member.list": {
    fields: { room: number; query?: string; after?: number };
    reply: { members: User[]; total: number; more: boolean };
  };
  "member.add": { fields: { room: number; users: number[] }; reply: { room: Room } };
  "member.remove": { fields: { room: number; user: number }; reply: Nothing };
  "message.list": { fields: { room: number; limit?: number } & HistoryPlace; reply: HistoryPage };
  "message.get": { fields: { message: number }; reply: { message: Message } };
  "message.post": { fields: { room: number; nonce: string; text: string }; reply: { nonce: string; message: Message } };
  "message.edit": { fields: { message: number; text: string }; reply: { message: Message } };
  "message.delete": { fields: { message: number }; reply: { message: Message } };
  "user.list": { fields: { query?: string; after?: number }; reply: { users: User[]; more: boolean } };
  "user.get": { fields: { user: number }; reply: { user: User } };
  "user.update": { fields: { user: number; role: Role }; reply: { user: User } };
  "me.get": { fields: Nothing; reply: { user: User; email: string; workspace: Workspace } };
  "me.update": {
    fields: { name?: string; username?: string; email?: string; password?: string };
    reply: { user: User; email: string };
  };
  "me.password": { fields: { current: string; new: string }; reply: Nothing };
  "session.list": { fields: Nothing; reply: { sessions: Session[] } };
  "session.revoke": { fields: { session: number }; reply: Nothing };
  "session.revoke_others": { fields: Nothing; reply: { revoked: number } };
  "workspace.update": { fields: { name?: string; open_registration?: boolean }; reply: { workspace: Workspace } };
  "invitation.list": { fields: Nothing; reply: { invitations: Invitation[] } };
  "invitation.create": {
    fields: { days?: number; max_uses?: number; role?: "member" | "guest" };
    reply: { invitation: Invitation };
  };
  "invitation.revoke": { fields: { invitation: number }; reply: Nothing };
  typing: { fields: RoomOnly; reply: Nothing };
  "presence.set": { fields: { state: "online" | "away" }; reply: Nothing };
}

export type Verb = keyof Commands;
export type Fields<V extends Verb> = Commands[V]["fields"];
export type Reply<V extends Verb> = Commands[V]["reply"];

/** How a store asks the server: resolves with the reply, rejects with a ProblemError. */
export type Ask = <V extends Verb>(verb: V, fields: Fields<V>) => Promise<Reply<V>>;

/** The seq of a message's latest change: what tells a newer version of it from an older one. */
export function versionOf(message: Message): number {
  return message.changed ?? message.seq;
}

/** Did a person write it, or does it say what happened in the room? */
export function isText(message: Message): boolean {
  return message.kind === undefined || message.kind === "text";
}
