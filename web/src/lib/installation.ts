/** The built client in this browser, so that it starts when the server does not answer: the page's side of the service worker. */
import { CACHES, RUNNING } from "./installed";

const WORKER = "/service-worker.js";

/** Browsers' types do not have it yet. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(input: string): string };
}

/** Call it once. Where there can be no service worker (plain http, some private windows) the client lives from the server alone. */
export async function install(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    // The worker keeps what this page may still load for as long as the page lives.
    void navigator.locks.request(RUNNING + new URL(import.meta.url).pathname, { mode: "shared" }, () => new Promise(() => {}));
    await navigator.serviceWorker.register(address(), { updateViaCache: "none" });
  } catch (error) {
    console.info("This browser does not keep the client for a start without the server.", error);
  }
}

export async function uninstall(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await (await navigator.serviceWorker.getRegistration("/"))?.unregister();
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(CACHES)).map((name) => caches.delete(name)));
}

/** A page of ours may load scripts from this one computed address, and no other. */
function address(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  return trustedTypes?.createPolicy("roomful-service-worker", { createScriptURL: () => WORKER }).createScriptURL(WORKER) ?? WORKER;
}
