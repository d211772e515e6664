import type { Services } from "../tests/services/services.ts";

/** What a benchmark works with. */
export interface BenchContext {
  services: Services;
  /** Measured rounds; one more runs first and is not counted. */
  rounds: number;
  /** Sessions of the log that is read, projected and rebuilt. */
  sessions: number;
  /** Sessions that `getTrainingSessions` reads. */
  trainingSessions: number;
  /** Events of each session. */
  events: number;
  /** A folder that is removed after the run. */
  folder: string;
  /** Says what is being done. */
  note(text: string): void;
}

/** Units of figures: of rates more is better, of times and shares of a core less. */
export type Unit = "events/s" | "sessions/s" | "µs" | "CPU s" | "% of a core";

/** One line of the result: medians over the rounds, beside the ceiling measured between them. */
export interface Figure {
  benchmark: string;
  what: string;
  unit: Unit;
  ours: number;
  /** The lowest and the highest round. */
  range: [low: number, high: number];
  ceiling: number;
  /** What the ceiling does. */
  beside: string;
}

/** One subject, measured beside what bounds it. */
export interface Benchmark {
  name: string;
  needs: { kafka?: boolean; postgres?: boolean };
  run(context: BenchContext): Promise<Figure[]>;
}
