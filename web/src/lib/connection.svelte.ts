/** The one connection to the server: commands and their replies, events, and coming back after it was lost. */
import { waitBefore } from "./backoff";
import type { Environment, PageNews, Socket } from "./environment";
import { ProblemError, type Problem } from "./problem";
import type { Fields, Reply, ServerEvent, Verb } from "./types";

export type ConnectionState =
  | { name: "connecting" }
  | { name: "open" }
  /** `until` is when the next try begins (milliseconds since 1970); `restarting`: the server said that it comes back. */
  | { name: "waiting"; until: number; restarting: boolean }
  /** Like waiting, and the browser says that there is no network. */
  | { name: "offline"; until: number }
  | { name: "signed_out" }
  | { name: "refused"; text: string };

const REPLY_LIMIT = 15_000;
const HELLO_LIMIT = 15_000;
const SILENCE = 25_000;
const PROBE_LIMIT = 10_000;
const WAKE_PROBE_LIMIT = 5_000;
const WAKE_SILENCE = 5_000;
/** A connection that held so long counts as good: the next loss begins with short waits again. */
const SETTLED = 5_000;
const BROKEN = 1006;

interface Waiting {
  resolve(reply: unknown): void;
  reject(problem: ProblemError): void;
  cancel(): void;
}

interface ReplyFrame {
  id: number | null;
  ok: boolean;
  error?: Problem;
}

interface Needed extends Pick<Environment, "clock" | "random" | "openSocket" | "signedIn" | "page"> {
  /** The session ended: there is nothing to wait for. */
  signedOut(): void;
}

export class Connection {
  state: ConnectionState = $state.raw({ name: "connecting" });
  /** Tries that failed since it last held. */
  tries = $state(0);
  /** Worth telling the person: it is not open, and this is not the first moment of the page. */
  readonly troubled: boolean = $derived(this.state.name !== "open" && (this.tries > 0 || this.state.name !== "connecting"));

  readonly #needed: Needed;
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | null = null;
  /** Counts sockets: what an earlier one still tells is not heard. */
  #turn = 0;
  #lastId = 0;
  #lastHeard = 0;
  #frameLimit = 65_536;
  #reconnectIn: number | undefined;
  /** The server asked for this wait: coming back into view does not cut it short. */
  #askedToWait = false;
  #probeUntil: number | null = null;
  #cancelTry = (): void => {};
  #cancelWatch = (): void => {};
  #cancelSettled = (): void => {};
  #stopListening = (): void => {};

  constructor(needed: Needed) {
    this.#needed = needed;
  }

  /** Every event, the hello among them, in the order in which the server told them. Gives back how to stop. */
  listen(listener: (event: ServerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#stopListening = this.#needed.page.listen((news) => this.#pageSays(news));
    this.#connect();
  }

  /** Ends it for good. */
  stop(): void {
    this.#stopListening();
    this.#cancelTry();
    this.state = { name: "connecting" };
    this.#letGo(1000);
  }

  /** The person does not want to wait for the next try. */
  retryNow(): void {
    if (["waiting", "offline", "refused"].includes(this.state.name)) this.#connect();
  }

  /** Rejects with a ProblemError: at once when there is no connection, since nothing is kept here for later. */
  ask<V extends Verb>(verb: V, fields: Fields<V>): Promise<Reply<V>> {
    const socket = this.#socket;
    if (socket === null || this.state.name !== "open") return Promise.reject(ProblemError.disconnected());
    const id = ++this.#lastId;
    const frame = JSON.stringify({ ...fields, id, do: verb });
    if (frame.length * 3 > this.#frameLimit && new TextEncoder().encode(frame).length > this.#frameLimit) {
      return Promise.reject(new ProblemError({ code: "too_large", text: "That is more than can be sent at once. Make it shorter." }));
    }
    return new Promise<Reply<V>>((resolve, reject) => {
      const cancel = this.#needed.clock.after(REPLY_LIMIT, () => {
        this.#waiting.delete(id);
        reject(ProblemError.timeout());
        this.#probe(WAKE_PROBE_LIMIT);
      });
      this.#waiting.set(id, { resolve: (reply) => resolve(reply as Reply<V>), reject, cancel });
      socket.send(frame);
    });
  }

  #connect(): void {
    this.#cancelTry();
    this.state = { name: "connecting" };
    this.#askedToWait = false;
    const turn = ++this.#turn;
    this.#socket = this.#needed.openSocket({
      frame: (text) => {
        if (turn === this.#turn) this.#hear(text);
      },
      closed: (code) => {
        if (turn === this.#turn) this.#lost(code);
      },
    });
    this.#cancelTry = this.#needed.clock.after(HELLO_LIMIT, () => this.#lost(BROKEN));
  }

  #hear(text: string): void {
    this.#lastHeard = this.#needed.clock.now();
    const frame = JSON.parse(text) as ServerEvent | ReplyFrame;
    if ("event" in frame) {
      if (frame.event === "hello") this.#opened(frame.limits.frame);
      if (frame.event === "bye") this.#reconnectIn = frame.reconnect_in;
      for (const listener of this.#listeners) listener(frame);
      return;
    }
    if (frame.id === null) return;
    const waiting = this.#waiting.get(frame.id);
    if (waiting === undefined) return;
    this.#waiting.delete(frame.id);
    waiting.cancel();
    if (frame.ok) waiting.resolve(frame);
    else waiting.reject(new ProblemError(frame.error ?? { code: "internal", text: "The server refused, and did not say why." }));
  }

  #opened(frameLimit: number): void {
    this.#cancelTry();
    this.#frameLimit = frameLimit;
    this.#reconnectIn = undefined;
    this.state = { name: "open" };
    this.#cancelSettled = this.#needed.clock.after(SETTLED, () => {
      this.tries = 0;
    });
    this.#watch();
  }

  /** Lets go of the socket without waiting for its end: a dead one can take minutes to say so. */
  #letGo(code?: number): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#cancelWatch();
    this.#cancelSettled();
    this.#probeUntil = null;
    this.#turn += 1;
    socket?.close(code);
    const unanswered = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { cancel, reject } of unanswered) {
      cancel();
      reject(ProblemError.disconnected());
    }
  }

  #lost(code: number): void {
    const wasOpen = this.state.name === "open";
    this.#cancelTry();
    const wait = waitBefore({ code, tries: this.tries, reconnectIn: this.#reconnectIn }, this.#needed.random);
    this.#askedToWait = code === 4429 || code === 1012 || this.#reconnectIn !== undefined;
    const restarting = code === 1012 || this.#reconnectIn !== undefined;
    this.#reconnectIn = undefined;
    this.tries += 1;
    if (code === 4401) return this.#end();
    if (code === 4403) this.state = { name: "refused", text: "The server does not let this page connect." };
    else this.#wait(wait, restarting);
    // After the state has changed, so that who is told of the loss sees it.
    this.#letGo();
    // A browser does not say why a socket was not opened; an ended session is the one reason that waiting cannot mend.
    if (!wasOpen && code === BROKEN) void this.#askForSession();
  }

  #wait(milliseconds: number, restarting: boolean): void {
    const until = this.#needed.clock.now() + milliseconds;
    this.state = this.#needed.page.online ? { name: "waiting", until, restarting } : { name: "offline", until };
    this.#cancelTry = this.#needed.clock.after(milliseconds, () => this.#connect());
  }

  async #askForSession(): Promise<void> {
    const answer = await this.#needed.signedIn();
    if (answer !== "no" || this.state.name === "open") return;
    this.#end();
  }

  #end(): void {
    this.#cancelTry();
    this.state = { name: "signed_out" };
    this.#letGo();
    this.#needed.signedOut();
  }

  #pageSays(news: PageNews): void {
    const { name } = this.state;
    if (news === "online" || news === "shown") {
      if (name === "open") {
        if (news === "online" || this.#needed.clock.now() - this.#lastHeard > WAKE_SILENCE) this.#probe(WAKE_PROBE_LIMIT);
      } else if ((name === "waiting" || name === "offline") && !this.#askedToWait) this.#connect();
    } else if (news === "offline") {
      if (name === "open") this.#probe(WAKE_PROBE_LIMIT);
      else if (this.state.name === "waiting") this.state = { name: "offline", until: this.state.until };
    }
  }

  /** Asks for a sign of life when there was none for a while. */
  #watch(): void {
    const { clock } = this.#needed;
    this.#cancelWatch = clock.after(Math.max(0, this.#lastHeard + SILENCE - clock.now()), () => {
      if (clock.now() - this.#lastHeard >= SILENCE) this.#probe(PROBE_LIMIT);
      else this.#watch();
    });
  }

  #probe(limit: number): void {
    const { clock } = this.#needed;
    if (this.#socket === null || this.state.name !== "open") return;
    const asked = clock.now();
    if (this.#probeUntil !== null && this.#probeUntil <= asked + limit) return;
    this.#probeUntil = asked + limit;
    this.#cancelWatch();
    this.#socket.send(JSON.stringify({ id: ++this.#lastId, do: "ping" }));
    this.#cancelWatch = clock.after(limit, () => {
      this.#probeUntil = null;
      if (this.#lastHeard >= asked) this.#watch();
      else this.#lost(BROKEN);
    });
  }
}
