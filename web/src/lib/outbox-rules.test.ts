import { expect, test } from "vitest";
import { refusal, unseen, wellFormed, type Pending } from "./outbox";
import { ADA, BOB } from "./testing/server";

test("a message needs some text, and not too much of it, counted as the server counts", () => {
  expect(refusal(" \n ", 10)).toBe("A message needs some text.");
  expect(refusal("👩‍🚀".repeat(3), 9)).toBeNull();
  expect(refusal("👩‍🚀".repeat(3), 8)).toBe("A message may have 8 characters; this one has 9.");
  expect(wellFormed("ab\ud83d cd\ude00 😀")).toBe("ab\ufffd cd\ufffd 😀");
});

test("a pending message is taken for one in the timeline only if it was sent, in the same words, and after that moment", () => {
  const pending: Pending = { nonce: "n", user: 1, room: 1, text: "ok", created_at: 0, order: 0, state: "waiting" };
  const message = { id: 5, room: 1, seq: 7, sender: ADA, text: "ok", at: "2026-11-24T09:00:00Z" };
  expect(unseen([pending], [message], 1)).toEqual([pending]);
  expect(unseen([{ ...pending, after: 6 }], [message], 1)).toEqual([]);
  expect(unseen([{ ...pending, after: 7 }], [message], 1)).toHaveLength(1);
  expect(unseen([{ ...pending, after: 6 }], [{ ...message, sender: BOB }], 1)).toHaveLength(1);
  expect(unseen([{ ...pending, after: 6, state: "failed" }], [message], 1)).toHaveLength(1);
  const twice = [{ ...pending, after: 6 }, { ...pending, nonce: "m", after: 6 }];
  expect(unseen(twice, [message], 1).map((item) => item.nonce)).toEqual(["m"]);
});
