/** What can go wrong with a command: the server's errors and our own (no connection, no answer) in one shape. */

/** An error frame as it comes over the wire. */
export interface Problem {
  code: string;
  text: string;
  field?: string;
  /** Seconds. */
  retry_after?: number;
}

/** Codes that promise nothing was decided yet: the same command may be sent again. */
const PASSING = new Set(["busy", "restarting", "disconnected", "timeout"]);

export class ProblemError extends Error {
  /** A code of docs/protocol.md, or `disconnected` / `timeout`: no connection, no answer in time. */
  readonly code: string;
  /** A sentence that may be shown to a person. */
  readonly text: string;
  /** The field that is wrong, with code `invalid`. */
  readonly field: string | undefined;
  /** Seconds to wait before trying again. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem) {
    super(problem.text);
    this.name = "ProblemError";
    this.code = problem.code;
    this.text = problem.text;
    this.field = problem.field;
    this.retryAfter = problem.retry_after;
  }

  /** May the same command be sent again, later, without a change? */
  get passing(): boolean {
    return this.retryAfter !== undefined || PASSING.has(this.code);
  }

  static disconnected(): ProblemError {
    return new ProblemError({ code: "disconnected", text: "There is no connection to the server right now." });
  }

  static timeout(): ProblemError {
    return new ProblemError({ code: "timeout", text: "The server did not answer in time." });
  }
}

/** Whatever was thrown, as something that can be shown. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ProblemError({ code: "internal", text: `Something went wrong in this page: ${detail}` });
}
