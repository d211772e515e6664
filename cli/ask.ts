import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { AtlasError } from "../errors/atlas-error.ts";
import { rendered } from "./terminal-text.ts";

/** Whether somebody is there to answer. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/**
 * Asks the person at the terminal.
 *
 * @throws AtlasError ATLAS_INTERRUPTED when the answer is Ctrl-C, or Ctrl-D
 */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const left = once(terminal, "close").then(() => undefined);
  try {
    const answer = await Promise.race([
      terminal.question(rendered(question, { people: true, colours: false })),
      left,
    ]).catch(() => undefined);
    if (answer === undefined) throw new AtlasError("ATLAS_INTERRUPTED", "interrupted");
    return answer.trim();
  } finally {
    terminal.close();
  }
}
