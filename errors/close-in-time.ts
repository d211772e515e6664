/** How long closing may take, unless told. */
export const CLOSE_MS = 30_000;

/**
 * Waits for what closes, but not for ever: a database that hangs must not hold up a process that wants to end.
 *
 * @returns whether it was done in time
 */
export async function closeInTime(closing: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([closing.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
