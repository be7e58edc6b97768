/** How the service worker is built: after the client, whose files it is told, into one file with a name that stays. */
import { defineConfig } from "vite";
import type { Manifest, Plugin } from "vite";

const BUILT = "../chat/static";

/** Fills in what src/worker/build.ts declares: the files that the client's page needs, and a name for just this build. */
function tellBuild(): Plugin {
  return {
    name: "tell-build",
    async transform(code, id) {
      if (!id.endsWith("/src/worker/build.ts")) return null;
      const page = await this.fs.readFile(`${BUILT}/index.html`, { encoding: "utf8" });
      const manifest = JSON.parse(await this.fs.readFile(`${BUILT}/manifest.json`, { encoding: "utf8" })) as Manifest;
      const files = [...filesOf(manifest, "index.html")].sort().map((file) => `/static/${file}`);
      const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode([page, ...files].join("\n")));
      const build = { id: Array.from(new Uint8Array(hash, 0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(""), files };
      return { code: code.replace("= ROOMFUL_BUILD", `= ${JSON.stringify(build)}`), map: null };
    },
  };
}

/** The file of this entry of the manifest, and of all that it imports now or later. */
function filesOf(manifest: Manifest, name: string, seen = new Set<string>()): Set<string> {
  const chunk = manifest[name];
  if (chunk === undefined) throw new Error(`The client's build has no ${name}.`);
  if (seen.has(chunk.file)) return seen;
  for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) seen.add(file);
  for (const other of [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])]) filesOf(manifest, other, seen);
  return seen;
}

export default defineConfig({
  plugins: [tellBuild()],
  publicDir: false,
  build: {
    outDir: BUILT,
    emptyOutDir: false,
    target: "es2023",
    modulePreload: false,
    rolldownOptions: {
      input: { "service-worker": "src/worker/service-worker.ts" },
      output: { entryFileNames: "[name].js" },
    },
  },
});
