/** Node, with the modules compiled as for a browser: Svelte's server half has state that never changes and no effects. */
import type { Environment } from "vitest/runtime";

export default {
  name: "client-in-node",
  viteEnvironment: "client",
  setup: () => ({ teardown() {} }),
} satisfies Environment;
