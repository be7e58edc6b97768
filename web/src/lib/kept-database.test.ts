import "fake-indexeddb/auto";
import { expect, test, vi } from "vitest";
import { openKeptStore } from "./kept-database";
import type { HelloEvent } from "./types";

test("what was kept is removed although the browser never answers the first try", async () => {
  const store = await openKeptStore();
  await store?.putHello({ event: "hello" } as HelloEvent);
  expect(await store?.hello()).not.toBeNull();
  // As while the browser clears the site: neither success nor error.
  const open = vi.spyOn(indexedDB, "open").mockReturnValueOnce(new IDBOpenDBRequest());
  await store?.clear();
  expect(open).toHaveBeenCalledTimes(2);
  expect(await store?.hello()).toBeNull();
});
