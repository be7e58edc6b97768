import { expect, test } from "vitest";
import { initials, personColour } from "./initials";

test("two words give two letters, a middle name gives none", () => {
  expect(initials("Nora Lindqvist")).toBe("NL");
  expect(initials("Ada King Lovelace")).toBe("AL");
});

test("one word gives one letter, in capitals", () => {
  expect(initials("samir")).toBe("S");
  expect(initials("  élodie ")).toBe("É");
});

test("a letter of several code points stays whole", () => {
  expect(initials("e\u0301mile zola")).toBe("E\u0301Z");
  expect(initials("👩‍🚀 Ada")).toBe("👩‍🚀A");
});

test("a name without letters gives a question mark", () => {
  expect(initials("")).toBe("?");
  expect(initials("--- ...")).toBe("?");
});

test("scripts without capitals keep their sign", () => {
  expect(initials("山田 太郎")).toBe("山太");
});

test("the colour is the id modulo 8, counted from 1", () => {
  expect(personColour(0)).toBe(1);
  expect(personColour(7)).toBe(8);
  expect(personColour(8)).toBe(1);
  expect(personColour("9007199254740993000")).toBe((993000 % 8) + 1);
});
