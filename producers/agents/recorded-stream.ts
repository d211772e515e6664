/** What is heard of a stream that somebody else reads. */
export interface StreamListener<T> {
  piece(piece: T): void;
  /** The reader came to the end, or stopped before it. */
  end(): Promise<void>;
  fail(error: unknown): Promise<void>;
}

/**
 * Listens to a stream while its reader reads it. The stream itself is returned: it gives the same pieces at the same
 * time, and keeps all its other methods.
 */
export function listenTo<T, S extends AsyncIterable<T>>(stream: S, listener: StreamListener<T>): S {
  const source = stream[Symbol.asyncIterator].bind(stream);
  async function* heard(): AsyncGenerator<T> {
    try {
      for await (const piece of { [Symbol.asyncIterator]: source }) {
        listener.piece(piece);
        yield piece;
      }
    } catch (error) {
      await listener.fail(error);
      throw error;
    } finally {
      await listener.end();
    }
  }
  return Object.defineProperty(stream, Symbol.asyncIterator, { value: heard, configurable: true });
}
