import { expect, test } from "vitest";
import { place } from "./placement";

const room = { width: 1000, height: 600 };
const menu = { width: 200, height: 150 };
const button = (left: number, top: number) => ({ left, top, right: left + 30, bottom: top + 30 });

test("it opens below its button, from the button's left edge", () => {
  expect(place(button(100, 100), menu, room)).toEqual({ left: 100, top: 134 });
});

test("at the right edge it ends where its button ends", () => {
  expect(place(button(950, 100), menu, room)).toEqual({ left: 780, top: 134 });
});

test("at the bottom it opens upwards", () => {
  expect(place(button(100, 550), menu, room)).toEqual({ left: 100, top: 396 });
});

test("where there is too little room both ways it stays inside the window", () => {
  const small = { width: 180, height: 160 };
  expect(place(button(100, 70), menu, small)).toEqual({ left: 8, top: 8 });
});
