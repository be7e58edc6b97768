/** A form on its way to the server: under way, refused for a reason, and which field the reason is about. */
import { asProblem, type ProblemError } from "../lib/problem";

export class Submission {
  busy = $state(false);
  problem = $state.raw<ProblemError | null>(null);
  readonly #fields: readonly string[];

  /** Names of the fields that the form shows, as the wire has them. */
  constructor(...fields: string[]) {
    this.#fields = fields;
  }

  /** True when it worked. A second press while the first is under way does nothing. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = null;
    try {
      await work();
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** What is wrong with one field. */
  of(field: string): string | undefined {
    return this.problem?.field === field ? this.problem.text : undefined;
  }

  /** What is wrong with none of the fields shown. */
  get general(): string | undefined {
    const problem = this.problem;
    return problem && !(problem.field && this.#fields.includes(problem.field)) ? problem.text : undefined;
  }
}
