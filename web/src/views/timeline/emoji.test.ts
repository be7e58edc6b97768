import { expect, test } from "vitest";
import { bigEmoji } from "./emoji";

test("one to three emoji alone are shown large, however they are made", () => {
  for (const text of ["🎉", "👋 🌊 🎉", "👩‍🚀", "👍🏽", "🇵🇹", "❤️", "1️⃣"]) expect(bigEmoji(text), text).toBe(true);
});

test("words, digits, signs and longer rows are not", () => {
  for (const text of ["", " ", "hi 🎉", "🎉🎉🎉🎉", "12", "#", "©", "*", "x".repeat(200)]) expect(bigEmoji(text), text).toBe(false);
});
