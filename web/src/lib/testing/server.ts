/** A small server in memory that keeps docs/protocol.md, and can be told to fail in every way that a real one does. */
import type { Socket, SocketListener } from "../environment";
import type { Problem } from "../problem";
import type { HelloEvent, LineData, LineKind, Message, Person, Room, Sync, User } from "../types";
import { isText, versionOf } from "../types";
import type { FakeClock } from "./clock";

export const ADA: User = { id: 1, username: "ada", name: "Ada Lovelace", role: "owner", presence: "online" };
export const BOB: User = { id: 2, username: "bob", name: "Bob Kahn", role: "member", presence: "online" };
export const CYD: User = { id: 3, username: "cyd", name: "Cyd Okafor", role: "member", presence: "offline" };

interface KeptRoom {
  id: number;
  kind: Room["kind"];
  name: string;
  members: Set<number>;
  events: { event: "message.posted" | "message.changed"; room: number; seq: number; message: Message }[];
  read: Map<number, number>;
}

export interface Command {
  id: number;
  do: string;
  [field: string]: unknown;
}

/** What to do with a command instead of answering it: refuse it, do it but lose the reply, or not even hear it. */
export type Fault = { refuse: Problem } | "lose reply" | "ignore" | null;

interface Line {
  user: User;
  listener: SocketListener;
  open: boolean;
}

export class FakeServer {
  epoch = "first";
  /** Answers nobody, opens nothing. */
  frozen = false;
  /** Refuses to open sockets with this code. */
  closedWith: number | null = null;
  sessions = new Set([ADA.id, BOB.id, CYD.id]);
  fault: (command: Command, user: User) => Fault = () => null;
  /** Every command that was heard. */
  readonly heard: Command[] = [];
  readonly rooms = new Map<number, KeptRoom>();
  readonly lines = new Set<Line>();
  /** How many sockets were asked for. */
  tries = 0;
  #messages = 1000;
  readonly #nonces = new Map<string, Message>();
  /** Frames wait here while they are held back. */
  #held: (() => void)[] | null = null;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  room(id: number, name: string, members: readonly User[], kind: Room["kind"] = "public"): KeptRoom {
    const room: KeptRoom = { id, kind, name, members: new Set(members.map((user) => user.id)), events: [], read: new Map() };
    this.rooms.set(id, room);
    return room;
  }

  connect(user: User, listener: SocketListener): Socket {
    this.tries += 1;
    const line: Line = { user, listener, open: true };
    this.lines.add(line);
    queueMicrotask(() => {
      if (this.frozen) return;
      if (this.closedWith !== null || !this.sessions.has(user.id)) this.cut(line, this.closedWith ?? 1006);
      else this.#send(line, this.#hello(user));
    });
    return {
      send: (frame) => queueMicrotask(() => this.#command(line, JSON.parse(frame) as Command)),
      close: () => {
        line.open = false;
        this.lines.delete(line);
      },
    };
  }

  /** Ends connections: this one, or all. */
  cut(which?: Line, code = 1006): void {
    for (const line of which ? [which] : [...this.lines]) {
      if (!line.open) continue;
      line.open = false;
      this.lines.delete(line);
      line.listener.closed(code);
    }
  }

  post(user: User, id: number, text: string, nonce?: string): Message {
    const known = nonce === undefined ? undefined : this.#nonces.get(`${user.id} ${nonce}`);
    if (known) return known;
    const message = this.#add(id, { id: ++this.#messages, sender: person(user), text });
    if (nonce !== undefined) this.#nonces.set(`${user.id} ${nonce}`, message);
    return message;
  }

  line(user: User, id: number, kind: LineKind, data?: LineData): Message {
    return this.#add(id, { id: ++this.#messages, sender: person(user), text: "", kind, ...(data ? { data } : {}) });
  }

  change(message: Message, change: Partial<Message>): Message {
    const room = this.#kept(message.room);
    const now = this.messages(message.room).find((other) => other.id === message.id) ?? message;
    const seq = room.events.length + 1;
    const changed: Message = { ...now, ...change, changed: seq };
    room.events.push({ event: "message.changed", room: room.id, seq, message: changed });
    this.#tellRoom(room, { event: "message.changed", room: room.id, seq, message: changed });
    return changed;
  }

  /** Changes the log and tells nobody, as a hub that lost an event. */
  silently(work: () => void): void {
    const lines = [...this.lines];
    this.lines.clear();
    work();
    for (const line of lines) this.lines.add(line);
  }

  /** All messages as they are now, oldest first. */
  messages(id: number): Message[] {
    const found = new Map<number, Message>();
    for (const event of this.#kept(id).events) found.set(event.message.id, event.message);
    return [...found.values()].sort((one, other) => one.seq - other.seq);
  }

  leave(user: User, id: number, reason: "left" | "removed"): void {
    this.#kept(id).members.delete(user.id);
    for (const line of this.lines) if (line.user.id === user.id) this.#send(line, { event: "room.left", room: id, reason });
  }

  tell(user: User, frame: object): void {
    for (const line of this.lines) if (line.user.id === user.id) this.#send(line, frame);
  }

  /** Holds all frames back until release(), which may turn their order around. */
  hold(): void {
    this.#held = [];
  }

  release(order: (frames: (() => void)[]) => (() => void)[] = (frames) => frames): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const send of order(held)) send();
  }

  view(room: KeptRoom, user: User): Room {
    const read = room.read.get(user.id) ?? 0;
    const others = [...room.members].filter((id) => id !== user.id).map((id) => [ADA, BOB, CYD].find((one) => one.id === id));
    const messages = this.messages(room.id);
    return {
      id: room.id,
      kind: room.kind,
      name: room.name,
      topic: "",
      seq: room.events.length,
      member: room.members.has(user.id),
      read,
      unread: Math.min(100, messages.filter((message) => message.seq > read && isText(message) && !message.deleted && message.sender.id !== user.id).length),
      mentions: 0,
      involvement: "everything",
      last_at: messages.at(-1)?.at ?? null,
      ...(room.kind === "direct" && others[0] ? { with: others[0] } : {}),
    };
  }

  #add(id: number, given: Pick<Message, "id" | "sender" | "text"> & Partial<Message>): Message {
    const room = this.#kept(id);
    const seq = room.events.length + 1;
    const message: Message = { ...given, room: id, seq, at: new Date(this.#clock.now()).toISOString() };
    room.events.push({ event: "message.posted", room: id, seq, message });
    this.#tellRoom(room, { event: "message.posted", room: id, seq, message });
    return message;
  }

  #kept(id: number): KeptRoom {
    const room = this.rooms.get(id);
    if (!room) throw new Error(`the test has no room ${id}`);
    return room;
  }

  #hello(user: User): HelloEvent {
    return {
      event: "hello",
      protocol: 1,
      server: "0.1.0",
      epoch: this.epoch,
      time: new Date(this.#clock.now()).toISOString(),
      connection: "c",
      user,
      email: `${user.username}@example.org`,
      workspace: { name: "Analytical Engines", open_registration: false },
      limits: { text: 10_000, frame: 65_536, page: 10, typing_seconds: 5, name: 40, topic: 250 },
      rooms: [...this.rooms.values()].filter((room) => room.members.has(user.id)).map((room) => this.view(room, user)),
    };
  }

  #command(line: Line, command: Command): void {
    if (!line.open || this.frozen) return;
    const fault = this.fault(command, line.user);
    if (fault === "ignore") return;
    this.heard.push(command);
    if (fault !== null && fault !== "lose reply") return this.#send(line, { id: command.id, ok: false, error: fault.refuse });
    const held = this.#held;
    // The reply leaves before the events of the same commit, as the server does it.
    this.#held = [];
    const answer = this.#answer(line, command);
    const events = this.#held;
    this.#held = held;
    if (fault !== "lose reply") this.#send(line, { id: command.id, ok: !("code" in answer), ...("code" in answer ? { error: answer } : answer) });
    for (const send of events) {
      if (this.#held) this.#held.push(send);
      else send();
    }
  }

  #answer(line: Line, command: Command): object {
    const { user } = line;
    const notFound: Problem = { code: "not_found", text: "There is no such room, or you are not in it." };
    if (command.do === "resume") {
      const cursors = Object.entries(command.rooms as Record<string, number>);
      return { rooms: cursors.map(([id, after]) => this.#sync(user, Number(id), after, command.epoch === this.epoch)) };
    }
    if (["ping", "typing", "presence.set"].includes(command.do)) return {};
    if (command.do === "user.get") return { user: [ADA, BOB, CYD].find((one) => one.id === command.user) };
    const room = this.rooms.get(command.room as number);
    if (!room?.members.has(user.id)) return notFound;
    switch (command.do) {
      case "room.sync":
        return { sync: this.#sync(user, room.id, command.after as number, true) };
      case "room.get":
        return { room: this.view(room, user) };
      case "room.read":
        room.read.set(user.id, Math.max(room.read.get(user.id) ?? 0, command.seq as number));
        return { room: room.id, read: room.read.get(user.id), unread: this.view(room, user).unread };
      case "member.list": {
        const members = [ADA, BOB, CYD].filter((one) => room.members.has(one.id));
        return { members, total: members.length, more: false };
      }
      case "message.list":
        return this.#page(room, command);
      case "message.post": {
        const nonce = command.nonce as string;
        const known = this.#nonces.get(`${user.id} ${nonce}`);
        if (known && known.text !== command.text) return { code: "nonce_conflict", text: "That was sent already, with other words." };
        const message = this.post(user, room.id, command.text as string, nonce);
        for (const other of this.lines) {
          if (other !== line && other.user.id === user.id) this.#send(other, { event: "message.sent", nonce, message });
        }
        return { nonce, message };
      }
      default:
        return { code: "unknown_command", text: `The fake server does not know ${command.do}.` };
    }
  }

  #page(room: KeptRoom, command: Command): object {
    const all = this.messages(room.id);
    const limit = command.limit as number;
    const before = (seq: unknown): number => all.filter((message) => message.seq < (seq as number)).length;
    let start = Math.max(0, all.length - limit);
    let end = all.length;
    if (command.before !== undefined) {
      end = before(command.before);
      start = Math.max(0, end - limit);
    } else if (command.after !== undefined) {
      start = before((command.after as number) + 1);
      end = Math.min(all.length, start + limit);
    } else if (command.around !== undefined) {
      start = Math.max(0, before(command.around) - (limit >> 1));
      end = Math.min(all.length, start + limit);
    }
    return { messages: all.slice(start, end), older: start > 0, newer: end < all.length, seq: room.events.length };
  }

  #sync(user: User, id: number, after: number, sameEpoch: boolean): Sync {
    const room = this.rooms.get(id);
    if (!room?.members.has(user.id)) return { room: id, left: true };
    if (!sameEpoch || after > room.events.length || room.events.length - after > 200) return { room: id, reload: true };
    const changes = this.messages(id)
      .filter((message) => versionOf(message) > after)
      .sort((one, other) => versionOf(one) - versionOf(other));
    const messages = changes.slice(0, 20);
    const last = messages.at(-1);
    const more = messages.length < changes.length;
    return { room: id, from: after, to: more && last ? versionOf(last) : room.events.length, more, messages };
  }

  #tellRoom(room: KeptRoom, frame: object): void {
    for (const line of this.lines) if (room.members.has(line.user.id)) this.#send(line, frame);
  }

  #send(line: Line, frame: object): void {
    const text = JSON.stringify(frame);
    const send = (): void => {
      if (line.open && !this.frozen) line.listener.frame(text);
    };
    if (this.#held) this.#held.push(send);
    else send();
  }
}

function person({ id, username, name }: User): Person {
  return { id, username, name };
}
