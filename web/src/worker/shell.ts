/** The built client in Cache Storage, one cache for each build: filled whole, and kept while a page runs it. */
import { CACHES, RUNNING } from "../lib/installed";
import { files, id } from "./build";
import { before, isOfBuild, SHELL, unneeded } from "./requests";

const NAME = CACHES + id;

/** The page of this build; undefined where it is not kept (any more). */
export function shell(): Promise<Response | undefined> {
  return caches.match(SHELL, { cacheName: NAME, ignoreVary: true });
}

/** A file of any build that is kept; else the server has it. */
export async function asset(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

/** Rejects, and keeps nothing, when not all of the build can be had. */
export async function fill(): Promise<void> {
  const cache = await caches.open(NAME);
  try {
    await cache.addAll(files);
    const page = await fetch(SHELL, { cache: "no-store" });
    if (!page.ok || !isOfBuild(await page.clone().text(), files)) throw new Error("The server has another build by now.");
    // Last: where the page is, all that it needs is.
    await cache.put(SHELL, page);
  } catch (error) {
    await caches.delete(NAME);
    throw error;
  }
}

/** Lets go of earlier builds that no page runs any more. */
export async function tidy(): Promise<void> {
  const { held = [] } = await navigator.locks.query();
  const running = held.flatMap(({ name }) => (name?.startsWith(RUNNING) ? [name.slice(RUNNING.length)] : []));
  const earlier = new Map<string, string[]>();
  for (const name of before(NAME, await caches.keys())) {
    const requests = await (await caches.open(name)).keys();
    earlier.set(
      name,
      requests.map(({ url }) => new URL(url).pathname),
    );
  }
  for (const name of unneeded(earlier, running)) await caches.delete(name);
}

/** Nothing stays of any build. */
export async function empty(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(CACHES)) await caches.delete(name);
}
