/** What the client needs from the world around it, so that tests can give it another one. browser.ts gives the real one. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once after so many milliseconds, unless the function that it gives back is called before. */
  after(milliseconds: number, run: () => void): () => void;
}

/** The part of a WebSocket that is used. */
export interface SocketLike {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(frame: string): void;
  close(code?: number): void;
}

/** What happens to the page: `shown` also when it comes back from the browser's memory, `input` at most once a second. */
export type PageNews = "shown" | "hidden" | "online" | "offline" | "input";

export interface Page {
  readonly visible: boolean;
  readonly online: boolean;
  /** Gives back how to stop listening. */
  listen(listener: (news: PageNews) => void): () => void;
}

/** The part of localStorage that is used. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** The part of a BroadcastChannel that is used: other tabs hear it, this one does not. */
export interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(news: unknown): void;
}

/** Runs the work when no other tab runs work of the same name. */
export type Exclusively = (name: string, work: () => Promise<void>) => Promise<void>;

/** The part of the browser's history that is used. */
export interface Visited {
  /** Path of the page, with a leading slash and without a query. */
  readonly path: string;
  readonly state: unknown;
  push(path: string, state: unknown): void;
  replace(path: string, state: unknown): void;
  back(): void;
  /** Tells when the person goes back or forth. */
  listen(listener: () => void): () => void;
}

export interface Environment {
  clock: Clock;
  /** From 0 up to 1. */
  random(): number;
  /** A new UUID. */
  uuid(): string;
  openSocket(): SocketLike;
  /** Asked when a socket was not opened, which does not say why: is there still a session? */
  signedIn(): Promise<"yes" | "no" | "unknown">;
  /** Ends the session; throws a ProblemError when that could not be done. */
  signOut(): Promise<void>;
  /** Leaves the client for a page of the server. */
  leave(path: string): void;
  page: Page;
  shelf: Shelf;
  channel(name: string): Channel;
  exclusively: Exclusively;
  visited: Visited;
}
