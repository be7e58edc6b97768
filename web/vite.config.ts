/** How the browser client and the pages' stylesheet are built into the Python package, and served while developing. */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defaultClientConditions } from "vite";
import { defineConfig } from "vitest/config";

const SERVER = "http://127.0.0.1:8000";
// The server compares Origin with its own address, so the development proxy has to speak as a page of the server's.
const toServer = { target: SERVER, changeOrigin: true, headers: { origin: SERVER } };

export default defineConfig(({ command, mode }) => ({
  base: command === "build" ? "/static/" : "/",
  plugins: [svelte()],
  // Tests run in Node, where Svelte would otherwise hand out its server half, whose state never changes.
  resolve: mode === "test" ? { conditions: [...defaultClientConditions] } : {},
  build: {
    outDir: "../chat/static",
    emptyOutDir: true,
    // Not in the usual hidden folder: packaging leaves hidden folders out of the wheel.
    manifest: "manifest.json",
    target: "es2023",
    // The first browsers with light-dark(), which the tokens are written in, and the popover attribute.
    cssTarget: ["chrome123", "firefox125", "safari17.5"],
    // Nothing inline: the content security policy lets only files of our own load.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { app: "index.html", pages: "src/pages.css" } },
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    strictPort: true,
    proxy: {
      "/api": toServer,
      "/ws": { ...toServer, ws: true },
      "^/(sign-in|sign-out|register|join|start)(/|$|\\?)": toServer,
    },
  },
  test: { environment: "./src/lib/testing/environment.ts", include: ["src/**/*.test.ts"] },
}));
