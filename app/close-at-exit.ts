interface Open {
  close: () => Promise<void>;
  failed: (error: unknown) => void;
}

const open = new Set<Open>();

/** Nothing is left to do for the process: what nobody closed is closed, and then it ends. */
function closeAll(): void {
  for (const { close, failed } of open) close().catch(failed);
}

/**
 * Sees to it that something is closed when the process has nothing left to do, if it was not closed before.
 *
 * @param failed called with what closing at that time threw
 * @returns what closes it, once, however often it is called
 */
export function closedAtExit(
  close: () => Promise<void>,
  failed: (error: unknown) => void,
): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const once = (): Promise<void> => {
    open.delete(entry);
    if (open.size === 0) process.off("beforeExit", closeAll);
    closing ??= close();
    return closing;
  };
  const entry: Open = { close: once, failed };
  if (open.size === 0) process.on("beforeExit", closeAll);
  open.add(entry);
  return once;
}
