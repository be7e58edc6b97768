/** Starts the client when the server does not answer. Keeps what was built; of what people write it sees and keeps nothing. */
import { clearKept } from "../lib/kept-database";
import { concernOf, isAway } from "./requests";
import { asset, empty, fill, shell, tidy } from "./shell";

declare const self: ServiceWorkerGlobalScope;

/** A page that takes longer, in milliseconds, is opened from what is kept: it shows by itself when the server is back. */
const PATIENCE = 3000;

self.addEventListener("install", (event) => {
  // Open pages go on with the build that they run: its files stay as long as they do.
  event.waitUntil(fill().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(tidy()));

self.addEventListener("fetch", (event) => {
  const concern = concernOf(event.request, self.location.origin);
  if (concern === "page") event.respondWith(page(event));
  if (concern === "asset") event.respondWith(asset(event.request));
});

/** From the server, where it answers in time; else the client as it was built. */
async function page(event: FetchEvent): Promise<Response> {
  const answer = fetch(event.request);
  // Where the server is away, or has another build by now, a later page is there to learn from.
  event.waitUntil(answer.then(learn).catch(() => {}));
  const kept = await shell();
  if (kept === undefined) return answer;
  const inTime = await Promise.race([answer.catch(() => null), pause(PATIENCE)]);
  return inTime === null || isAway(inTime.status) ? kept : inTime;
}

/** The client's page is sent to who is signed in; everybody else is sent elsewhere, and what was kept for them is removed. */
async function learn(answer: Response): Promise<void> {
  if (answer.type === "opaqueredirect") await Promise.all([empty(), clearKept()]);
  if (!answer.ok) return;
  // The browser may have thrown away what it kept for us.
  if ((await shell()) === undefined) await fill();
  await tidy();
}

function pause(milliseconds: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), milliseconds));
}
