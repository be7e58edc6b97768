import { expect, test } from "vitest";
import { around, atEnd, earlier, follow, later, MOST } from "./rowWindow";

const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => ({ key: String(from + index), kind: "message" }));

test("a room opens at its newest rows", () => {
  expect(atEnd(10)).toEqual({ from: 0, to: 10 });
  expect(atEnd(1000)).toEqual({ from: 700, to: 1000 });
});

test("older rows loaded at the beginning are shown, and never more than the most", () => {
  expect(follow({ from: 0, to: 50 }, rows(100, 150), rows(50, 150), false)).toEqual({ from: 0, to: 100 });
  expect(follow({ from: 0, to: 300 }, rows(50, 350), rows(0, 350), false)).toEqual({ from: 0, to: MOST });
});

test("older rows that nobody asked for move the window along", () => {
  expect(follow({ from: 20, to: 50 }, rows(100, 150), rows(50, 150), true)).toEqual({ from: 70, to: 100 });
});

test("a new message is shown to who reads the newest, and moves nothing for who reads above", () => {
  expect(follow({ from: 0, to: 300 }, rows(0, 300), rows(0, 301), true)).toEqual({ from: 1, to: 301 });
  expect(follow({ from: 0, to: 300 }, rows(0, 300), rows(0, 301), false)).toEqual({ from: 0, to: 300 });
});

test("another place of the history begins at its end", () => {
  expect(follow({ from: 3, to: 50 }, rows(0, 50), rows(500, 550), false)).toEqual({ from: 0, to: 50 });
});

test("a day's row that moved does not carry the window away", () => {
  const before = [{ key: "day", kind: "day" }, ...rows(10, 20)];
  const after = [{ key: "day", kind: "day" }, ...rows(0, 20)];
  expect(follow({ from: 0, to: 11 }, before, after, false)).toEqual({ from: 0, to: 21 });
});

test("steps stay within the rows", () => {
  expect(earlier({ from: 50, to: 350 })).toEqual({ from: 0, to: 300 });
  expect(later({ from: 0, to: 300 }, 350)).toEqual({ from: 50, to: 350 });
  expect(around(5, 1000)).toEqual({ from: 0, to: 300 });
  expect(around(999, 1000)).toEqual({ from: 700, to: 1000 });
});
