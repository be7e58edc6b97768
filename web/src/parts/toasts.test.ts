import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Toasts } from "./toasts.svelte";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const texts = (toasts: Toasts) => toasts.list.map((toast) => toast.text);

test("news go by themselves, those with a way back later", () => {
  const toasts = new Toasts();
  toasts.show("Link copied");
  toasts.show("Room archived", { label: "Undo", run: () => undefined });
  vi.advanceTimersByTime(5_000);
  expect(texts(toasts)).toEqual(["Room archived"]);
  vi.advanceTimersByTime(5_000);
  expect(texts(toasts)).toEqual([]);
});

test("a failure stays until it is closed", () => {
  const toasts = new Toasts();
  toasts.fail("The room could not be renamed.");
  vi.advanceTimersByTime(60_000);
  expect(texts(toasts)).toHaveLength(1);
  toasts.dismiss(toasts.list[0]!.id);
  expect(texts(toasts)).toEqual([]);
});

test("nothing goes while it is held, and the wait starts again after", () => {
  const toasts = new Toasts();
  toasts.show("Saved");
  toasts.hold();
  vi.advanceTimersByTime(60_000);
  expect(texts(toasts)).toEqual(["Saved"]);
  toasts.release();
  vi.advanceTimersByTime(5_000);
  expect(texts(toasts)).toEqual([]);
});

test("a fourth one takes the oldest one's place", () => {
  const toasts = new Toasts();
  for (const text of ["one", "two", "three", "four"]) toasts.show(text);
  expect(texts(toasts)).toEqual(["two", "three", "four"]);
});
