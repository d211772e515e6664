import { join } from "node:path";
import { openEmbedded } from "../database/embedded/open-embedded.ts";
import { openPostgresLog } from "../log/postgres/open-postgres-log.ts";
import { createFlusher, type Flusher } from "../recording/flusher.ts";
import { createRecorder, type Recorder } from "../recording/recorder.ts";
import type { Meta } from "../schemas/generated/events.ts";
import { newId } from "../schemas/identity.ts";
import type { BenchContext, Benchmark, Figure } from "./benchmark.ts";
import { median, percentile, rangeOf } from "./stats.ts";

const SIZES = [1, 4, 16];
const SESSIONS = 60;
/** What an agent emits between two turns of the event loop. */
const BURST = 10;
/** About what an event has beside its output, as JSON. */
const ENVELOPE_BYTES = 400;
const EVENTS_OF_A_SESSION = 60;
const BESIDE = "JSON.stringify of the same event";

/** Microseconds of each call, of ours and of the ceiling. */
interface Times {
  ours: number[];
  ceiling: number[];
}

/** Through bytes and back: flat text, as it comes from a network, and none that is put together when it is read. */
const textOf = (kilobytes: number): string =>
  Buffer.from("the handler returns input without a check. ".repeat(25 * kilobytes))
    .subarray(0, kilobytes * 1024 - ENVELOPE_BYTES)
    .toString();

const draftOf = (output: string) => ({
  call_id: "tool-1",
  step_id: 1,
  attempt: 1,
  name: "read_file",
  output,
  duration_us: 1200,
});

function timed(into: number[], work: () => void): void {
  const start = performance.now();
  work();
  into.push((performance.now() - start) * 1000);
}

/** One session: bursts of events, with the loop free between them, as when an agent waits for a model. */
async function recordSession(flusher: Flusher, output: string, times: Times): Promise<void> {
  const recorder = createRecorder({ flusher, sessionId: newId() });
  const kept: string[] = [];
  const envelope = { type: "ToolCallEnded", meta: firstMeta(recorder, output) };
  for (let burst = 0; burst < EVENTS_OF_A_SESSION / BURST; burst += 1) {
    for (let index = 0; index < BURST; index += 1) {
      const draft = draftOf(output);
      const sides = [
        () => timed(times.ours, () => recorder.emit("ToolCallEnded", draft)),
        () => timed(times.ceiling, () => kept.push(JSON.stringify({ ...envelope, ...draft }))),
      ];
      // The first one after a pause finds the processor's caches cold.
      for (const side of burst % 2 === 0 ? sides : sides.toReversed()) side();
    }
    await recorder.flush();
  }
}

function firstMeta(recorder: Recorder, output: string): Meta {
  recorder.emit("ToolCallEnded", draftOf(output));
  return recorder.history()[0]!.meta;
}

async function measure(flusher: Flusher, kilobytes: number): Promise<Times> {
  const times: Times = { ours: [], ceiling: [] };
  const output = textOf(kilobytes);
  for (let session = 0; session < SESSIONS; session += 1) await recordSession(flusher, output, times);
  return times;
}

function figureOf(what: string, rounds: readonly Times[], of: (values: readonly number[]) => number): Figure {
  const ours = rounds.map((times) => of(times.ours));
  return {
    benchmark: emit.name,
    what,
    unit: "µs",
    ours: median(ours),
    range: rangeOf(ours),
    ceiling: median(rounds.map((times) => of(times.ceiling))),
    beside: BESIDE,
  };
}

/** What `emit` costs its caller, while the embedded log takes the events in the background. */
export const emit: Benchmark = {
  name: "emit",
  needs: {},
  async run(context: BenchContext): Promise<Figure[]> {
    const db = await openEmbedded(join(context.folder, "emit"));
    const log = await openPostgresLog({ db, embedded: true });
    const flusher = createFlusher(log);
    const bySize = new Map<number, Times[]>(SIZES.map((kilobytes) => [kilobytes, []]));
    try {
      for (let round = 0; round <= context.rounds; round += 1) {
        for (const [kilobytes, rounds] of bySize) {
          const times = await measure(flusher, kilobytes);
          if (round > 0) rounds.push(times);
        }
      }
    } finally {
      await log.close();
      await db.close();
    }
    const smallest = bySize.get(SIZES[0]!)!;
    return [...bySize].flatMap(([kilobytes, rounds]) => {
      const figures = [
        figureOf(`${kilobytes} kB event, p50`, rounds, (times) => percentile(times, 0.5)),
        figureOf(`${kilobytes} kB event, p99`, rounds, (times) => percentile(times, 0.99)),
      ];
      return rounds === smallest ? figures : [...figures, perKilobyte(kilobytes, rounds, smallest)];
    });
  },
};

/** What each kB beyond the first costs, at the median. */
function perKilobyte(kilobytes: number, rounds: readonly Times[], smallest: readonly Times[]): Figure {
  const more = kilobytes - SIZES[0]!;
  const costs = rounds.map((times, round): Times => {
    const cost = (side: keyof Times): number =>
      (percentile(times[side], 0.5) - percentile(smallest[round]![side], 0.5)) / more;
    return { ours: [cost("ours")], ceiling: [cost("ceiling")] };
  });
  return figureOf(`each further kB, to ${kilobytes} kB`, costs, ([cost]) => cost!);
}
