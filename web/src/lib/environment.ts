/** What the client needs from the world around it, so that tests can give it another one. browser.ts gives the real one. */
import type { KeptStore } from "./kept";
import type { OutboxStore } from "./outbox";

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once after so many milliseconds, unless the function that it gives back is called before. */
  after(milliseconds: number, run: () => void): () => void;
}

export interface Socket {
  send(frame: string): void;
  close(code?: number): void;
}

/** What a socket tells. `closed` comes once, also when it was never opened. */
export interface SocketListener {
  frame(text: string): void;
  closed(code: number): void;
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
export interface Shelf {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Tells the other tabs something; this one does not hear it. */
export type Tell = (news: unknown) => void;

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
  openSocket(listener: SocketListener): Socket;
  /** Asked when a socket was not opened, which does not say why: is there still a session? */
  signedIn(): Promise<"yes" | "no" | "unknown">;
  /** Ends the session; throws a ProblemError when that could not be done. */
  signOut(): Promise<void>;
  /** Leaves the client for a page of the server. */
  leave(path: string): void;
  page: Page;
  shelf: Shelf;
  /** Joins the talk of all tabs under that name. */
  channel(name: string, hear: (news: unknown) => void): Tell;
  openOutbox(): Promise<OutboxStore>;
  /** Null where the browser keeps nothing. */
  openKept(): Promise<KeptStore | null>;
  /** Takes the built client out of this browser, so that it starts from the server alone. */
  uninstall(): Promise<void>;
  exclusively: Exclusively;
  visited: Visited;
}
