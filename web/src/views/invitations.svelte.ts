/** The workspace's invitations, as the views that show them need them. */
import { asProblem } from "../lib/problem";
import type { Ask, Fields, Invitation } from "../lib/types";
import { until } from "./times";

export function isOpen(invitation: Invitation, now: Date): boolean {
  const used = invitation.max_uses != null && invitation.uses >= invitation.max_uses;
  return !invitation.revoked_at && !used && Date.parse(invitation.expires_at) > now.getTime();
}

/** "2 of 10 used", "3 joined with it": how often an invitation has been used. */
export function usesWords(invitation: Invitation): string {
  if (invitation.max_uses != null) return `${invitation.uses} of ${invitation.max_uses} used`;
  return invitation.uses === 0 ? "Not used yet" : invitation.uses === 1 ? "1 joined with it" : `${invitation.uses} joined with it`;
}

/** "ends in 7 days", "ends in 3 hours": what is left of it. */
export function endWords(invitation: Invitation, now: Date): string {
  const left = until(invitation.expires_at, now);
  return left === null ? "ended" : `ends ${left}`;
}

export class Invitations {
  list = $state.raw<Invitation[]>([]);
  loaded = $state(false);
  problem = $state<string | null>(null);
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async load(): Promise<void> {
    try {
      this.list = (await this.#ask("invitation.list", {})).invitations;
      this.problem = null;
      this.loaded = true;
    } catch (error) {
      this.problem = asProblem(error).text;
    }
  }

  async create(wishes: Fields<"invitation.create">): Promise<Invitation> {
    const { invitation } = await this.#ask("invitation.create", wishes);
    this.list = [invitation, ...this.list];
    return invitation;
  }

  async revoke(invitation: Invitation): Promise<void> {
    await this.#ask("invitation.revoke", { invitation: invitation.id });
    this.list = this.list.filter((other) => other.id !== invitation.id);
  }

  /** The newest that still lets anybody in as a member. */
  open(now: Date): Invitation | undefined {
    return this.list
      .filter((invitation) => isOpen(invitation, now) && invitation.role === "member")
      .sort((one, other) => Date.parse(other.created_at) - Date.parse(one.created_at))[0];
  }
}
