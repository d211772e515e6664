/** A recorded conversation of a file to import. */
export interface Recorded {
  id: string;
  task?: string;
  reward?: number;
  created_at?: string;
  metadata?: Record<string, unknown>;
  messages: { role: string; content: string }[];
}

/** A conversation of two messages, an hour after the one before it. */
export function recorded(index: number, more: Partial<Recorded> = {}): Recorded {
  return {
    id: `run-${index}`,
    task: `Look up order ${index}`,
    reward: ((index * 37) % 101) / 100,
    created_at: new Date(Date.UTC(2025, 3, 1) + index * 3_600_000).toISOString(),
    metadata: { agent: "clerk", learning_key: `orders-${index % 3}` },
    messages: [
      { role: "user", content: `Where is order ${index}?` },
      { role: "assistant", content: `Order ${index} is on its way.` },
    ],
    ...more,
  };
}

/** The lines of a file to import. */
export const linesOf = (rows: readonly unknown[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join("");

export const tenRuns = (): string => linesOf(Array.from({ length: 10 }, (_, index) => recorded(index)));
