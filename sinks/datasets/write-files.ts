import { rm } from "node:fs/promises";
import { join } from "node:path";
import { releasedSchema } from "../../schemas/codec.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { type DerivationName, derivationsOf } from "../jsonl/export-sessions.ts";
import type { ChosenSession, Collected } from "./collect-sessions.ts";
import type { DatasetPlan, PlannedFile } from "./dataset-plan.ts";
import type { DatasetManifest, DatasetPart, ListedSession } from "./manifest.ts";
import type { Recipe } from "./recipe.ts";
import { recordDigest } from "./record-digest.ts";
import { RewardHistogram } from "./reward-histogram.ts";
import { writePart } from "./write-part.ts";

/** What was written. */
export interface Written {
  files: DatasetPart[];
  notWritten: NonNullable<DatasetManifest["not_written"]>;
  rewards: RewardHistogram;
  derivations: DerivationName[];
  schemas: DatasetManifest["schemas"];
  steps: number;
  simulated: number;
  without: Record<string, number>;
}

const byKey = <T>(found: ReadonlyMap<string, T>): T[] =>
  [...found.keys()].sort().map((key) => found.get(key)!);

/** What is made of a recipe, while it is written. */
interface Writing {
  recipe: Recipe;
  plan: DatasetPlan;
  collected: Collected;
  folder: string;
  /** Takes each session in the order of the files. */
  onWritten: (session: ListedSession) => Promise<void>;
}

/** Writes the files of a plan, session after session. */
export async function writeFiles({ recipe, plan, collected, folder, onWritten }: Writing): Promise<Written> {
  const derivations = new Map<string, DerivationName>();
  const fingerprints = new Set<string>();
  const written: Written = {
    ...{ files: [], notWritten: [], rewards: new RewardHistogram(), derivations: [], schemas: [] },
    ...{ steps: 0, simulated: 0, without: {} },
  };
  const note = async (session: ChosenSession, trace: SessionTrace, file: PlannedFile): Promise<void> => {
    const digest = recordDigest(encodeTrainingLine(trace));
    const { sessionId: session_id, learningKey: learning_key } = session;
    const reward = trace.reward?.score ?? null;
    written.steps += trace.steps.length;
    written.rewards.add(reward);
    if (trace.simulated) written.simulated += 1;
    for (const one of derivationsOf(trace)) derivations.set(Object.values(one).join(" "), one);
    await onWritten({ session_id, learning_key, split: file.split, file: file.name, reward, digest });
  };
  const placed = plan.sessions();
  try {
    let next = await placed.next();
    for (const [index, file] of plan.files.entries()) {
      let sessions = 0;
      async function* traces(): AsyncGenerator<SessionTrace> {
        for (; next.done !== true && next.value.file === index; next = await placed.next()) {
          const read = await collected.read(next.value.session);
          for (const fingerprint of read.fingerprints) fingerprints.add(fingerprint);
          await note(next.value.session, read.trace, file);
          sessions += 1;
          yield read.trace;
        }
      }
      const path = join(folder, file.name);
      const { without, ...part } = await writePart(recipe.format, path, traces(), recipe.layout > 1);
      for (const [reason, count] of Object.entries(without))
        written.without[reason] = (written.without[reason] ?? 0) + count;
      const { name, split, shard } = file;
      const { bytes, sha256, records } = part;
      // Readers that go by the names of files refuse an empty one.
      if (records === 0 && recipe.layout > 1) {
        await rm(path);
        written.notWritten.push({ name, split, shard, sessions });
        continue;
      }
      written.files.push({ name, split, shard, sessions, records, bytes, sha256 });
    }
  } finally {
    await placed.return(undefined);
  }
  const schemas = new Map<string, DatasetManifest["schemas"][number]>();
  for (const fingerprint of fingerprints) {
    const released = releasedSchema(fingerprint);
    if (released === undefined) continue;
    const { name, version } = released;
    schemas.set(`${name} ${String(version).padStart(6, "0")}`, { name, version, fingerprint });
  }
  return { ...written, derivations: byKey(derivations), schemas: byKey(schemas) };
}
