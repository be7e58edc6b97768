import { expect, test } from "vitest";
import { nextByKey, nextByLetter } from "./menuKeys";

test("arrows go round at both ends", () => {
  expect(nextByKey("ArrowDown", 2, 3)).toBe(0);
  expect(nextByKey("ArrowUp", 0, 3)).toBe(2);
  expect(nextByKey("ArrowDown", 0, 3)).toBe(1);
});

test("where none has the focus, down leads to the first and up to the last", () => {
  expect(nextByKey("ArrowDown", -1, 3)).toBe(0);
  expect(nextByKey("ArrowUp", -1, 3)).toBe(2);
});

test("Home and End lead to the ends, other keys and empty lists nowhere", () => {
  expect(nextByKey("Home", 2, 3)).toBe(0);
  expect(nextByKey("End", 0, 3)).toBe(2);
  expect(nextByKey("Enter", 0, 3)).toBeUndefined();
  expect(nextByKey("End", -1, 0)).toBeUndefined();
});

test("a letter leads to the next entry that begins with it, and round", () => {
  const words = ["Mute", "Leave", "Move", " Éditer"];
  expect(nextByLetter("m", 0, words)).toBe(2);
  expect(nextByLetter("m", 2, words)).toBe(0);
  expect(nextByLetter("é", 0, words)).toBe(3);
  expect(nextByLetter("x", 0, words)).toBeUndefined();
});
