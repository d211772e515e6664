/** As long as a timer can be. */
const LONG_MS = 2 ** 31 - 1;

/** Keeps the process alive while this is pending, whatever it waits for; comes to the same. */
export async function held<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, LONG_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
