/** What the views share beside the stores: the dialog that is open, toasts, what is said aloud, how wide the client is. */
import { createContext } from "svelte";
import { createSubscriber } from "svelte/reactivity";
import { asProblem } from "../lib/problem";
import type { Message, Room } from "../lib/types";
import { Toasts } from "../parts/toasts.svelte";
import type { Appearance } from "./settings/appearance.svelte";

const MINUTE = 60_000;
const SPEAKING = 1000;

export type OpenDialog =
  | { name: "switcher" }
  | { name: "help" }
  | { name: "create-room"; roomName?: string }
  | { name: "edit-room"; room: Room }
  | { name: "start-direct" }
  | { name: "add-members"; room: Room }
  | { name: "invite" }
  | { name: "delete-message"; message: Message; remove: () => Promise<unknown> }
  | { name: "sign-out"; everywhere: boolean }
  | { name: "confirm"; question: Question };

/** Something that should not happen by a slip of the hand. */
export interface Question {
  title: string;
  text: string;
  /** The verb on the button. */
  action: string;
  danger?: boolean;
  run: () => Promise<unknown>;
}

export class Screen {
  readonly appearance: Appearance;
  readonly toasts = new Toasts();
  dialog = $state.raw<OpenDialog | null>(null);
  /** Read out by screen readers when it changes. */
  said = $state("");
  /** One region at a time: below 46 rem. */
  narrow = $state(false);
  /** The panel lies over the timeline: below 70 rem. */
  covering = $state(false);

  #silence: ReturnType<typeof setTimeout> | undefined;
  readonly #minutes = createSubscriber((update) => {
    const timer = setInterval(update, MINUTE);
    return () => clearInterval(timer);
  });

  constructor(appearance: Appearance) {
    this.appearance = appearance;
  }

  /** The present moment; what reads it in the markup or an effect is done again each minute. */
  get now(): Date {
    this.#minutes();
    return new Date();
  }

  open(dialog: OpenDialog): void {
    this.dialog = dialog;
  }

  close(): void {
    this.dialog = null;
  }

  ask(question: Question): void {
    this.dialog = { name: "confirm", question };
  }

  say(text: string): void {
    clearTimeout(this.#silence);
    this.said = text;
    // Nobody should come upon it later while reading the page; and the same words again are a change only after silence.
    this.#silence = setTimeout(() => (this.said = ""), SPEAKING);
  }

  fail(error: unknown): void {
    this.toasts.fail(asProblem(error).text);
  }

  /** Does it, and tells how it went: `done` when it worked, the reason when not. */
  async attempt(work: Promise<unknown>, done?: string): Promise<boolean> {
    try {
      await work;
    } catch (error) {
      this.fail(error);
      return false;
    }
    if (done) this.toasts.show(done);
    return true;
  }

  async copy(text: string, done: string): Promise<void> {
    // The clipboard is closed to pages that come over plain http from another machine.
    if (!navigator.clipboard) this.toasts.fail("Your browser lets pages copy only over https. Select the text and copy it by hand.");
    else await this.attempt(navigator.clipboard.writeText(text), done);
  }
}

export const [useScreen, setScreen] = createContext<Screen>();
