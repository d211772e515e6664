import { explain } from "../errors/atlas-error.ts";
import { unsupportedNode } from "../errors/node-version.ts";

/** A program, which gets what was typed after its name. */
export interface Program {
  main(args: readonly string[]): Promise<void>;
}

/**
 * Starts a program, or says in one line that this Node is too old for it. What is loaded until then runs on Node 20, and
 * so may import nothing else.
 */
export async function start(load: () => Promise<Program>): Promise<void> {
  const refusal = unsupportedNode();
  if (refusal !== undefined) {
    process.stderr.write(`${explain(refusal)}\n`);
    process.exitCode = 1;
    return;
  }
  const { main } = await load();
  await main(process.argv.slice(2));
}
