import { expect, test } from "vitest";
import { pieces } from "./links";

const links = (text: string): string[] => pieces(text).flatMap((piece) => (piece.kind === "link" ? [piece.address] : []));

test("the pieces joined are the text again", () => {
  for (const text of ["", "no link", "https://a.example", "a https://a.example/b?c=d#e, and http://b.example.", "  x\n\nhttps://"]) {
    expect(pieces(text).map((piece) => piece.text).join("")).toBe(text);
  }
});

test("the end of a sentence is not part of an address", () => {
  expect(links("See https://a.example/b.")).toEqual(["https://a.example/b"]);
  expect(links("(https://a.example/b)")).toEqual(["https://a.example/b"]);
  expect(links("https://a.example/b_(c)")).toEqual(["https://a.example/b_(c)"]);
  expect(links("看这里https://a.example/路。好")).toEqual(["https://a.example/路"]);
});

test("only http and https become links", () => {
  expect(links("javascript:alert(1) data:text/html,x file:///etc/passwd ftp://a.example vbscript:x")).toEqual([]);
  expect(links("xhttps://a.example")).toEqual([]);
  expect(links("https://")).toEqual([]);
});

test("marks that turn the direction of writing end an address", () => {
  expect(links("https://a.example/\u202egpj.exe")).toEqual(["https://a.example/"]);
});

test("a long text made to be slow is not", () => {
  const begun = performance.now();
  expect(links("https://" + "(".repeat(10_000))).toEqual([]);
  expect(links("https://a.example" + ")".repeat(10_000))).toEqual(["https://a.example"]);
  expect(links("http".repeat(2_500))).toEqual([]);
  expect(performance.now() - begun).toBeLessThan(500);
});
