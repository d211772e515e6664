import { join } from "node:path";
import { type BuildOptions, type BuiltDataset, buildDataset } from "../../../app/datasets.ts";
import type { Atlas } from "../../../app/open-atlas.ts";
import { createEvent } from "../../../schemas/codec.ts";
import type { AtlasEvent } from "../../../schemas/generated/events.ts";
import { newId, nowMicros } from "../../../schemas/identity.ts";
import { folderForTest, opened } from "../../app/opened.ts";
import { factsOf, type SessionOptions, sessionId, wholeSession } from "../../traces/sessions.ts";

const START = 1_700_000_000_000_000;
const MINUTE = 60_000_000;

/** A session, and what is derived of it. */
export interface Told extends SessionOptions {
  decision?: string;
}

/** The events of the session of a number, its learning key one of ten, with what is derived of them. */
export function told(number: number, options: Told = {}): AtlasEvent[] {
  const { decision = "approved", ...rest } = options;
  const own = wholeSession(`dataset ${number}`, {
    start: START + number * MINUTE,
    learningKey: `key ${number % 10}`,
    score: (number % 5) / 4,
    ...rest,
  });
  return [...own, ...factsOf(own, { decision })];
}

/** A log with the sessions of these numbers, which nobody consumes. */
export async function filled(numbers: readonly number[], folder = folderForTest()): Promise<Atlas> {
  const atlas = await opened(folder, {}, { consumers: false });
  await atlas.log.append(numbers.flatMap((number) => told(number)).map(atlas.log.mask));
  return atlas;
}

/** Numbers from 1. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Builds into a folder of its own. */
export const built = (
  { log }: Pick<Atlas, "log">,
  options: Partial<BuildOptions> = {},
): Promise<BuiltDataset> => buildDataset(log, { output: join(folderForTest(), "data"), ...options });

/** What takes the session of a number out. */
export function erased(number: number): AtlasEvent {
  const id = sessionId(`dataset ${number}`);
  const meta = {
    event_id: newId(),
    session_id: id,
    source: `erase/${id}`,
    sequence: 1,
    occurred_at: nowMicros(),
    time_assumed: false,
  };
  return createEvent("SessionErased", meta, {
    learning_key: `key ${number % 10}`,
    reason: "asked",
    author: "Ada",
  });
}
