/** Keeps one room's log complete: takes events, syncs and pages of history, and asks for what is missing. */
import type { Clock } from "./environment";
import { RoomLog } from "./log";
import { asProblem } from "./problem";
import type { Ask, ChangedEvent, HistoryPlace, Message, PostedEvent, SyncPage } from "./types";

/** Replies and events of one commit may come in any order: a gap is given so long to close by itself. */
const GAP_GRACE = 200;
const AGAIN = 2000;

interface Needed {
  ask: Ask;
  clock: Clock;
  /** The log has changed. */
  changed(): void;
  /** Somebody wrote this: told before it is applied. */
  arrives(message: Message): void;
  /** The server lets go of our cursor: everything must be loaded again. */
  reload(): void;
}

export class Feed {
  readonly log = new RoomLog();
  readonly #room: number;
  readonly #needed: Needed;
  #asking = false;
  #resets = 0;
  #cancel = (): void => {};

  constructor(room: number, needed: Needed) {
    this.#room = room;
    this.#needed = needed;
  }

  /** True when what it tells is applied by now, or was before. */
  hear(event: PostedEvent | ChangedEvent): boolean {
    const { log } = this;
    if (event.event === "message.posted" && log.cursor !== null && event.seq > log.cursor) this.#needed.arrives(event.message);
    if (log.hear(event)) this.#needed.changed();
    if (log.behind) this.#askSoon(GAP_GRACE);
    return log.cursor !== null && event.seq <= log.cursor;
  }

  take(sync: SyncPage): void {
    const cursor = this.log.cursor ?? Infinity;
    for (const message of sync.messages) if (message.seq > cursor) this.#needed.arrives(message);
    if (this.log.applySync(sync)) this.#needed.changed();
    if (this.log.behind) this.#askSoon(0);
  }

  /** The room's newest seq is at least this: a sync follows where that is further than ours. */
  expect(seq: number): void {
    this.log.expect(seq);
    if (this.log.behind) this.#askSoon(0);
  }

  /** False when the log was forgotten while the page was under way. Rejects with a ProblemError. */
  async load(place: HistoryPlace, limit: number): Promise<boolean> {
    const resets = this.#resets;
    const page = await this.#needed.ask("message.list", { room: this.#room, limit, ...place });
    if (resets !== this.#resets) return false;
    this.log.applyPage(place, page);
    if (this.log.behind) this.#askSoon(0);
    return true;
  }

  reset(): void {
    this.#resets += 1;
    this.log.reset();
  }

  /** Nothing is asked for any more. */
  end(): void {
    this.#resets += 1;
    this.#cancel();
    this.log.reset();
  }

  #askSoon(wait: number): void {
    if (this.#asking) return;
    this.#cancel();
    this.#cancel = this.#needed.clock.after(wait, () => void this.#askForMissing());
  }

  async #askForMissing(): Promise<void> {
    const after = this.log.cursor;
    if (this.#asking || after === null || !this.log.behind) return;
    const resets = this.#resets;
    this.#asking = true;
    let again = AGAIN;
    try {
      const { sync } = await this.#needed.ask("room.sync", { room: this.#room, after });
      if (resets === this.#resets) {
        if (sync.reload) this.#needed.reload();
        // A room that we are not in any more is forgotten when `room.left` tells it.
        else if (!sync.left) this.take(sync);
      }
      // It went on: the rest at once. Else the server does not have yet what it told of.
      if ((this.log.cursor ?? 0) > after) again = 0;
    } catch (error) {
      const problem = asProblem(error);
      // Without a connection the next hello resumes; a final refusal means that we are not in the room any more.
      if (problem.code === "disconnected" || !problem.passing) return;
      again = (problem.retryAfter ?? AGAIN / 1000) * 1000;
    } finally {
      this.#asking = false;
    }
    if (this.log.behind) this.#askSoon(again);
  }
}
