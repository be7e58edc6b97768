import { expect, test } from "vitest";
import { ago, dayKey, dayLabel, until } from "./times";

const at = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0) => new Date(year, month, day, hour, minute, second).toISOString();
const now = new Date(2026, 10, 24, 12, 0);

test("a day is named by the calendar, not by hours passed", () => {
  expect(dayLabel(at(2026, 10, 24, 0, 1), now)).toBe("Today");
  expect(dayLabel(at(2026, 10, 23, 23, 59), now)).toBe("Yesterday");
  expect(dayLabel(at(2026, 10, 22, 23, 59), now)).toMatch(/Sunday/);
  expect(dayLabel(at(2025, 10, 22), now)).toMatch(/2025/);
  expect(dayKey(at(2026, 0, 2))).toBe("2026-01-02");
});

test("the past is said in the largest unit that fits", () => {
  expect(ago(at(2026, 10, 24, 11, 59, 30), now)).toBe("now");
  expect(ago(at(2026, 10, 24, 11, 59), now)).toBe("1 minute ago");
  expect(ago(at(2026, 10, 24, 9), now)).toBe("3 hours ago");
  expect(ago(at(2026, 10, 23, 22), now)).toBe("yesterday");
  expect(ago(at(2026, 10, 20), now)).toBe("Friday");
});

test("a clock that runs ahead is now, not the future", () => {
  expect(ago(at(2026, 10, 24, 12, 1), now)).toBe("now");
});

test("what is to come is rounded, and what is over is nothing", () => {
  expect(until(at(2026, 11, 1, 11, 59), now)).toBe("in 7 days");
  expect(until(at(2026, 10, 24, 12, 0, 20), now)).toBe("in 1 minute");
  expect(until(at(2026, 10, 24, 12), now)).toBeNull();
});
