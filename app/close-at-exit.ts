import { explain } from "../errors/atlas-error.ts";

const open = new Set<() => Promise<void>>();

/** Nothing is left to do for the process: what nobody closed is closed, and then it ends. */
function closeAll(): void {
  for (const close of open) {
    close().catch((error: unknown) => {
      process.emitWarning(`closing failed: ${explain(error)}`, { code: "ATLAS_CLOSING_FAILED" });
    });
  }
}

/**
 * Sees to it that something is closed when the process has nothing left to do, if it was not closed before.
 *
 * @returns what closes it, once, however often it is called
 */
export function closedAtExit(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const once = (): Promise<void> => {
    open.delete(once);
    if (open.size === 0) process.off("beforeExit", closeAll);
    closing ??= close();
    return closing;
  };
  if (open.size === 0) process.on("beforeExit", closeAll);
  open.add(once);
  return once;
}
