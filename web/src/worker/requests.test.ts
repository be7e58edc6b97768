import { expect, test } from "vitest";
import { pathOf, type Route } from "../lib/router.svelte";
import { before, concernOf, isAway, isOfBuild, unneeded } from "./requests";

const ORIGIN = "https://chat.example.org";

function concern(path: string, given: Partial<Pick<Request, "method" | "mode">> = {}): "page" | "asset" | null {
  return concernOf({ method: "GET", mode: "navigate", url: new URL(path, ORIGIN).href, ...given }, ORIGIN);
}

test("every address of the client can be opened without the server", () => {
  const routes: Route[] = [
    { name: "home" },
    { name: "room", room: 7 },
    { name: "room", room: 7, at: 12 },
    { name: "members", room: 7 },
    { name: "person", user: 3 },
    { name: "browse" },
    { name: "settings", section: "profile" },
    { name: "settings", section: "workspace" },
  ];
  for (const route of routes) expect(concern(pathOf(route)), route.name).toBe("page");
  expect(concern("/?from=somewhere#there")).toBe("page");
});

test("the server's own pages, the API, the socket and files are left to the server", () => {
  const paths = ["/sign-in", "/sign-in?next=/", "/sign-out", "/join/abc", "/start/abc", "/register", "/api/v1/me", "/ws", "/files/1", "/health", "/metrics"];
  for (const path of [...paths, "/service-worker.js", "/static/index.html", "/static/manifest.json", "/favicon.svg", "/roomsful"]) {
    expect(concern(path), path).toBeNull();
    expect(concern(path, { mode: "cors" }), path).toBeNull();
  }
});

test("only reading of our own site is of concern", () => {
  expect(concern("/static/assets/app-1.js", { mode: "cors" })).toBe("asset");
  expect(concern("/static/assets/app-1.css", { mode: "no-cors" })).toBe("asset");
  expect(concern("https://elsewhere.example.org/static/assets/app-1.js", { mode: "cors" })).toBeNull();
  expect(concern("/", { method: "POST" })).toBeNull();
  expect(concern("/static/assets/app-1.js")).toBeNull();
  expect(concern("/", { mode: "cors" })).toBeNull();
});

test("a proxy's word that nobody answers counts as no answer, a refusal does not", () => {
  expect([200, 303, 403, 404, 429, 500, 502, 503, 504, 507].filter(isAway)).toEqual([502, 503, 504]);
});

test("a page that needs other files is of another build", () => {
  const page = '<script type="module" src="/static/assets/app-1.js"></script><link href="/static/assets/app-2.css">';
  expect(isOfBuild(page, ["/static/assets/app-1.js", "/static/assets/app-2.css", "/static/assets/later-3.js"])).toBe(true);
  expect(isOfBuild(page, ["/static/assets/app-1.js", "/static/assets/app-3.css"])).toBe(false);
});

test("earlier builds go when no page runs them; the next one's and others' caches are not touched", () => {
  expect(before("roomful-2", ["roomful-0", "other", "roomful-1", "roomful-2", "roomful-3"])).toEqual(["roomful-0", "roomful-1"]);
  expect(before("roomful-2", ["roomful-0"])).toEqual([]);
  const caches = new Map([
    ["roomful-0", ["/static/index.html", "/static/assets/app-0.js"]],
    ["roomful-1", ["/static/index.html", "/static/assets/app-1.js"]],
  ]);
  expect(unneeded(caches, ["/static/assets/app-1.js", "/static/assets/app-2.js"])).toEqual(["roomful-0"]);
  expect(unneeded(caches, [])).toEqual(["roomful-0", "roomful-1"]);
});
