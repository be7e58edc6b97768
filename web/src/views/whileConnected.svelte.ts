/** What a view asks the server for: as soon as there is a connection, and anew with each new one. */
import { untrack } from "svelte";
import type { App } from "../lib/app.svelte";

/** Call it while a component is built. What `load` reads does not make it run again. */
export function whileConnected(app: App, load: () => unknown): void {
  $effect(() => {
    if (app.connection.state.name === "open") untrack(load);
  });
}
