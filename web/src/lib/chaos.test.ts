import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeClock } from "./testing/clock";
import { ADA, BOB, FakeServer } from "./testing/server";
import { Browser, type Tab } from "./testing/tab";

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("send" as const), who: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.constant({ do: "post" as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("edit" as const), pick: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.constant({ do: "lose an event" as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cut" as const), code: fc.constantFrom(1006, 1011, 1012, 4408, 4429) }) },
  { weight: 2, arbitrary: fc.constantFrom({ do: "lose replies" as const }, { do: "hear nothing" as const }, { do: "be busy" as const }, { do: "be well" as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "freeze" as const }, { do: "thaw" as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: "hold" as const }, { do: "release" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const), who: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("read back" as const), who: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), milliseconds: fc.integer({ min: 1, max: 4000 }) }) },
);

/** At no moment does the same text stand there twice, or out of the log's order. */
function expectNothingTwice({ app }: Tab): void {
  const timeline = app.timelines.current;
  const seqs = (timeline?.messages ?? []).map((message) => message.seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
  const texts = [...(timeline?.messages ?? []), ...(timeline?.pending ?? [])].map((shown) => shown.text);
  expect(texts).toHaveLength(new Set(texts).size);
}

test("whatever breaks, each message is stored once, in its author's order, and every tab ends with the room as it is", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), fc.infiniteStream(fc.nat(1000)), async (actions, dice) => {
      const clock = new FakeClock();
      const server = new FakeServer(clock);
      server.room(1, "general", [ADA, BOB]);
      server.line(ADA, 1, "created", { name: "general" });
      const adas = new Browser(clock, server);
      const bobs = new Browser(clock, server);
      // Two tabs of Ada's browser, one of Bob's.
      const open = (who: number): Promise<Tab> => (who === 2 ? bobs.tab(BOB, "/rooms/1") : adas.tab(ADA, "/rooms/1"));
      const tabs = [await open(0), await open(1), await open(2)];
      const sent: string[][] = [[], []];
      let count = 0;

      for (const now of actions) {
        if (now.do === "send") {
          const text = `${now.who === 2 ? "bob" : "ada"} ${++count}`;
          // Nothing can be written before the rooms are known.
          if (tabs[now.who]?.app.timelines.current?.send(text) === null) sent[now.who === 2 ? 1 : 0]?.push(text);
          // A person needs a moment between two tabs.
          await clock.advance(1);
        } else if (now.do === "post") server.post(BOB, 1, `phone ${++count}`);
        else if (now.do === "edit") {
          const texts = server.messages(1).filter((message) => message.text.startsWith("phone"));
          const message = texts[now.pick % Math.max(1, texts.length)];
          if (message) server.change(message, { text: `${message.text}!` });
        } else if (now.do === "lose an event") server.silently(() => server.post(BOB, 1, `phone ${++count}`));
        else if (now.do === "cut") server.cut(undefined, now.code);
        else if (now.do === "lose replies") server.fault = () => ((dice.next().value ?? 0) % 2 === 0 ? "lose reply" : null);
        else if (now.do === "hear nothing") server.fault = () => ((dice.next().value ?? 0) % 2 === 0 ? "ignore" : null);
        else if (now.do === "be busy") server.fault = () => ((dice.next().value ?? 0) % 2 === 0 ? { refuse: { code: "busy", text: "Slow.", retry_after: 1 } } : null);
        else if (now.do === "be well") server.fault = () => null;
        else if (now.do === "freeze") server.frozen = true;
        else if (now.do === "thaw") server.frozen = false;
        else if (now.do === "hold") server.hold();
        else if (now.do === "release") {
          // Replies and events of different senders may change places, not those of one connection's log: shifted by a few.
          server.release((frames) => frames.map((frame, index) => ({ frame, at: index + ((dice.next().value ?? 0) % 4) })).sort((one, other) => one.at - other.at).map(({ frame }) => frame));
        } else if (now.do === "reopen") {
          tabs[now.who]?.close();
          tabs[now.who] = await open(now.who);
        } else if (now.do === "read back") void tabs[now.who]?.app.timelines.current?.jumpTo(2);
        else await clock.advance(now.milliseconds);
        for (const tab of tabs) expectNothingTwice(tab);
      }

      server.fault = () => null;
      server.frozen = false;
      server.release();
      await clock.advance(150_000);
      // A lost event is noticed by the next one.
      server.post(BOB, 1, "the last");
      await clock.advance(5000);

      const truth = server.messages(1);
      for (const [index, name] of ["ada", "bob"].entries()) {
        expect(truth.filter((message) => message.text.startsWith(`${name} `)).map((message) => message.text)).toEqual(sent[index]);
      }
      for (const { app } of tabs) {
        expect(app.connection.state.name).toBe("open");
        expect(app.unsent).toBe(0);
        const timeline = app.timelines.current;
        await timeline?.jumpToNewest();
        expect(timeline?.pending).toEqual([]);
        const first = timeline?.messages[0]?.seq ?? 0;
        expect(timeline?.messages).toEqual(truth.filter((message) => message.seq >= first));
        expect(timeline?.messages.at(-1)).toEqual(truth.at(-1));
      }
      for (const tab of tabs) tab.close();
    }),
    { numRuns: 100 },
  );
}, 60_000);
