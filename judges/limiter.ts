/** Runs work, so many at a time; what is over waits in the order in which it came. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Opens a limit that several share.
 *
 * @param most 1 or more
 * @example
 * const limit = limiter(4);
 * await Promise.all(questions.map((question) => limit(() => ask(question))));
 */
export function limiter(most: number): Limiter {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // Whoever is next takes the place over, so that nobody comes between.
      if (next === undefined) free += 1;
      else next();
    }
  };
}
