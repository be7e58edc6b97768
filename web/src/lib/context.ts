/** How components come by the app: through Svelte's context, since nothing is kept in modules. */
import { createContext } from "svelte";
import type { App } from "./app.svelte";

export const [useApp, setApp] = createContext<App>();
