import { beforeEach, expect, test } from "vitest";
import { pathOf, Router, routeOf, type Route } from "./router.svelte";
import { FakeVisited } from "./testing/tab";

let moves: string[];

beforeEach(() => {
  moves = [];
});

function routerAt(path: string): { router: Router; visited: FakeVisited } {
  const visited = new FakeVisited(path);
  const router = new Router(visited, (route, room) => moves.push(`${route.name} ${room}`));
  router.start();
  return { router, visited };
}

test("every route has a path, and the path leads back to it", () => {
  const routes: Route[] = [
    { name: "home" },
    { name: "room", room: 12 },
    { name: "room", room: 12, at: 345 },
    { name: "members", room: 12 },
    { name: "person", user: 7 },
    { name: "browse" },
    { name: "settings", section: "profile" },
    { name: "settings", section: "sessions" },
    { name: "settings", section: "invitations" },
    { name: "settings", section: "workspace" },
  ];
  for (const route of routes) expect(routeOf(pathOf(route))).toEqual(route);
  expect(new Set(routes.map(pathOf)).size).toBe(routes.length);
});

test("a slash at the end does not matter; what is no route of ours is unknown", () => {
  expect(routeOf("/rooms/3/")).toEqual({ name: "room", room: 3 });
  for (const path of ["/rooms", "/rooms/0", "/rooms/x", "/rooms/3/at/", "/rooms/3/at/x", "/rooms/12345678901234567", "/settings/nothing", "/sign-in"]) {
    expect(routeOf(path === "/rooms/3/at/" ? "/rooms/3/at" : path).name).toBe("unknown");
  }
});

test("each route belongs to one region of a narrow screen", () => {
  const { router } = routerAt("/");
  const region = (route: Route): string => {
    router.go(route);
    return router.region;
  };
  expect(region({ name: "room", room: 1 })).toBe("main");
  expect(region({ name: "members", room: 1 })).toBe("panel");
  expect(region({ name: "person", user: 1 })).toBe("panel");
  expect(region({ name: "browse" })).toBe("main");
  expect(region({ name: "settings", section: "profile" })).toBe("main");
  expect(region({ name: "home" })).toBe("rooms");
});

test("a panel keeps the room behind it, also after a reload and on the way back", () => {
  const { router, visited } = routerAt("/rooms/5");
  router.go({ name: "person", user: 9 });
  expect(router.room).toBe(5);
  const reloaded = new Router(visited, () => undefined);
  reloaded.start();
  expect(reloaded.room).toBe(5);
  reloaded.back();
  expect(reloaded.route).toEqual({ name: "room", room: 5 });
});

test("back goes back in the browser's history, as its own button does", () => {
  const { router, visited } = routerAt("/");
  router.go({ name: "room", room: 1 });
  router.go({ name: "members", room: 1 });
  router.back();
  expect(router.route).toEqual({ name: "room", room: 1 });
  visited.back();
  expect(router.route).toEqual({ name: "home" });
  visited.move(2);
  expect(router.route).toEqual({ name: "members", room: 1 });
  expect(moves).toEqual(["home null", "room 1", "members 1", "room 1", "home null", "members 1"]);
});

test("where the client was entered by a link, back leads to what lies above", () => {
  const { router, visited } = routerAt("/rooms/5/members");
  router.back();
  expect(router.route).toEqual({ name: "room", room: 5 });
  router.back();
  expect(router.route).toEqual({ name: "home" });
  expect(visited.length).toBe(1);
});

test("going to where one is adds nothing to the history", () => {
  const { router, visited } = routerAt("/rooms/5");
  router.go({ name: "room", room: 5 });
  expect(visited.length).toBe(1);
  router.go({ name: "room", room: 6 }, { replace: true });
  expect(visited.length).toBe(1);
  expect(router.room).toBe(6);
});
