/** Which requests of the site's pages concern the service worker: the page of the client, and the files it is built of; and which of those files stay. */
import { CACHES } from "../lib/installed";

/** The client's page as it was built. It is nobody's: the client in it asks the server who is signed in. */
export const SHELL = "/static/index.html";
/** File names here change with their content. */
const ASSETS = "/static/assets/";
/** The addresses that the client's router knows, as chat/handlers/pages.py has them. */
const CLIENT_ROUTES = /^\/(?:(?:browse|people|rooms|settings)(?:\/.*)?)?$/;

/** "page" of the client, "asset" of a build, or null: everything else goes to the server as if there were no worker. */
export function concernOf({ method, mode, url }: Pick<Request, "method" | "mode" | "url">, origin: string): "page" | "asset" | null {
  const address = new URL(url);
  if (method !== "GET" || address.origin !== origin) return null;
  if (mode === "navigate") return CLIENT_ROUTES.test(address.pathname) ? "page" : null;
  return address.pathname.startsWith(ASSETS) ? "asset" : null;
}

/** Statuses with which a proxy speaks for a server that is away, or a server that cannot serve right now. */
export function isAway(status: number): boolean {
  return status >= 502 && status <= 504;
}

/** Does the shell need other files than these? Then it is of another build. */
export function isOfBuild(shell: string, files: readonly string[]): boolean {
  const needed = shell.match(/\/static\/assets\/[\w.-]+/g) ?? [];
  return needed.every((file) => files.includes(file));
}

/** Of all caches, which are in the order of their making, ours from before that one: a later one is being filled for the next worker. */
export function before(name: string, caches: readonly string[]): string[] {
  return caches.slice(0, Math.max(0, caches.indexOf(name))).filter((other) => other.startsWith(CACHES));
}

/** Of earlier builds' caches, those of which no page runs a file any more. */
export function unneeded(caches: ReadonlyMap<string, readonly string[]>, running: readonly string[]): string[] {
  return [...caches].filter(([, files]) => !running.some((file) => files.includes(file))).map(([name]) => name);
}
