/** The timelines that are kept: the one in view and the last ones visited. They all stay complete; others load anew. */
import { lasting } from "./lasting.svelte";
import { asProblem } from "./problem";
import { Timeline, type TimelineNeeds } from "./timeline.svelte";
import type { ChangedEvent, PostedEvent, Room, Sync } from "./types";

const KEPT = 20;

interface Needed extends TimelineNeeds {
  /** We are not in the room any more. */
  gone(room: number): void;
}

export class Timelines {
  /** The one in view. */
  current: Timeline | null = $state.raw(null);

  readonly #needs: Needed;
  /** In the order of the last visit. */
  readonly #kept = new Map<number, Timeline>();
  /** What the route asks for: shown as soon as the room is known. */
  #wanted: { room: number; at: number | undefined } | null = null;
  /** The hello in which the cursors began. */
  #epoch: string | null = null;

  constructor(needs: Needed) {
    this.#needs = needs;
  }

  /** What was kept from before belongs to these logs. */
  startFrom(epoch: string): void {
    this.#epoch = epoch;
  }

  /** The route shows this room (null: none), at this place if one is given. */
  show(room: number | null, at?: number): void {
    this.#wanted = room === null ? null : { room, at };
    if (this.current && this.current.room !== room) {
      this.current.close();
      this.current = null;
    }
    this.#showWanted(at !== undefined);
  }

  /** After each hello: catches up with all that is kept, in one command. */
  async begin(epoch: string, rooms: readonly Room[]): Promise<void> {
    const heads = new Map(rooms.map((room) => [room.id, room.seq]));
    for (const room of [...this.#kept.keys()]) if (!heads.has(room)) this.forget(room);
    const same = this.#epoch === epoch;
    this.#epoch = epoch;
    // Another epoch: the server's logs are not the ones that our cursors point into.
    if (!same) this.clear();
    else for (const timeline of [...this.#kept.values()]) if (!timeline.confirm(heads.get(timeline.room) ?? 0)) void this.#renew(timeline);
    this.#showWanted(false);
    if (!same) return;
    const shown = this.#kept.get(this.current?.room ?? 0);
    if (shown?.problem) void shown.retry();
    shown?.considerRead();
    const cursors: Record<string, number> = {};
    for (const timeline of this.#kept.values()) {
      if (timeline.cursor !== null && timeline.cursor !== heads.get(timeline.room)) cursors[timeline.room] = timeline.cursor;
    }
    if (Object.keys(cursors).length === 0) return;
    try {
      const reply = await this.#needs.ask("resume", { epoch, rooms: cursors });
      for (const sync of reply.rooms) this.take(sync);
    } catch (error) {
      // Cut off again: the next hello resumes. Otherwise each room asks for itself.
      if (asProblem(error).code === "disconnected") return;
    }
    for (const timeline of this.#kept.values()) timeline.expect(heads.get(timeline.room) ?? 0);
  }

  /** True when the message stands in its timeline now, or no timeline of that room is kept. */
  hear(event: PostedEvent | ChangedEvent): boolean {
    return this.#kept.get(event.room)?.hear(event) ?? true;
  }

  take(sync: Sync): void {
    if (sync.left) this.leave(sync.room);
    else if (sync.reload) this.#kept.get(sync.room)?.reload();
    else this.#kept.get(sync.room)?.take(sync);
  }

  /** A room that we came into, perhaps back: it can be shown now. */
  joined(): void {
    this.#showWanted(false);
  }

  /** We are not in the room any more: nothing of it stays, here or for the next start. */
  leave(room: number): void {
    this.forget(room);
    this.#needs.gone(room);
  }

  forget(room: number): void {
    this.#kept.get(room)?.end();
    this.#kept.delete(room);
    if (this.current?.room !== room) return;
    this.current.end();
    this.current = null;
  }

  clear(): void {
    for (const room of [...this.#kept.keys()]) this.forget(room);
  }

  /** Opens the room anew, as it is now. What is in view stays there until the new one has come. */
  async #renew(old: Timeline): Promise<void> {
    const { room } = old;
    if (this.current !== old || !old.loaded) return this.forget(room);
    const fresh = lasting(() => new Timeline(room, this.#needs));
    this.#kept.set(room, fresh);
    await fresh.open(this.#wanted?.at);
    if (this.#kept.get(room) === fresh) {
      if (fresh.problem?.code === "disconnected" && this.current === old) return void this.#kept.set(room, old);
      if (this.current === old) this.current = fresh;
      else if (this.current !== fresh) fresh.close();
    }
    old.end();
  }

  /** `moved`: also when the room is in view already, since another place in it is asked for. */
  #showWanted(moved: boolean): void {
    if (this.#wanted === null || !this.#needs.rooms.get(this.#wanted.room)) return;
    const { room, at } = this.#wanted;
    if (!moved && this.current?.room === room) return;
    const timeline = this.#kept.get(room) ?? lasting(() => new Timeline(room, this.#needs));
    const comes = this.current !== timeline;
    this.#kept.delete(room);
    this.#kept.set(room, timeline);
    this.current = timeline;
    if (comes || moved) void timeline.open(at);
    for (const [oldest] of this.#kept) {
      if (this.#kept.size <= KEPT) break;
      this.forget(oldest);
    }
  }
}
