import { expect, test } from "vitest";
import { fit, marked, ranked } from "./match";

test("the beginnings of words fit, in any order", () => {
  expect(fit("d eng", "difference-engine")).toBeGreaterThan(0);
  expect(fit("lovelace a", "Ada Lovelace")).toBeGreaterThan(0);
  expect(fit("love", "Ada Lovelace")).toBeGreaterThan(0);
  expect(fit("xyz", "Ada Lovelace")).toBe(0);
});

test("accents and case do not matter", () => {
  expect(fit("zoe", "Zoë Å")).toBeGreaterThan(0);
  expect(fit("TOMAS", "Tomás Rojas")).toBeGreaterThan(0);
});

test("the first word counts more than a later one, and a part of a word least", () => {
  const names = ["office-keys", "new-firmware", "firmware"];
  expect(ranked(names, "fi", (name) => [name], 9)).toEqual(["firmware", "new-firmware", "office-keys"]);
});

test("scripts without spaces are found by any part", () => {
  expect(fit("怡君", "陳怡君")).toBeGreaterThan(0);
});

test("an empty query keeps the order and the limit", () => {
  expect(ranked(["c", "a", "b"], "", (name) => [name], 2)).toEqual(["c", "a"]);
});

test("what was hit is set apart, and nothing is lost", () => {
  expect(marked("Ada Lovelace", "lo")).toEqual([
    { text: "Ada ", hit: false },
    { text: "Lo", hit: true },
    { text: "velace", hit: false },
  ]);
  for (const query of ["", "zo", "x", "ﬁ"]) expect(marked("Zoë-Åse ﬁeld", query).map((piece) => piece.text).join("")).toBe("Zoë-Åse ﬁeld");
});
