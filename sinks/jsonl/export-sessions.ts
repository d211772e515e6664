import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { AtlasError } from "../../errors/atlas-error.ts";
import { discard, publish, stage, type WrittenFile } from "../../files/atomic-file.ts";
import { targetOf } from "../../files/target.ts";
import type { Derivation } from "../../schemas/generated/events.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";

const FORMAT = "atlas-jsonl/1";

/** Where a dataset comes from: enough to build it again. */
export interface DatasetOrigin {
  log: { id: string; kind: string };
  /** The next offset of each partition of each topic, up to which the log was read. */
  positions: Record<string, readonly number[]>;
  /** Which sessions were asked for. */
  filters: Record<string, unknown>;
  package: { name: string; version: string };
}

/** Names what computed derived events. */
export type DerivationName = Pick<Derivation, "processor" | "version" | "rules_hash">;

/** What stands beside an exported file. */
export interface ExportManifest extends DatasetOrigin {
  format: typeof FORMAT;
  /** What computed the rewards, drift and review statuses in the file. */
  derivations: DerivationName[];
  sessions: number;
  steps: number;
  simulated_sessions: number;
  /** Sessions that pass all other filters and were left out for being simulated. */
  left_out: { simulated: number };
  file: { name: string; bytes: number; sha256: string };
}

/** What an export did. */
export interface ExportSummary {
  file: WrittenFile;
  /** Undefined where the output is a pipe or a device: nothing stays there that it could describe. */
  manifestPath: string | undefined;
  manifest: ExportManifest;
}

/** What to export, and where to. */
export interface ExportOptions {
  sessions: AsyncIterable<SessionTrace>;
  /**
   * The JSONL file; its manifest goes beside it, with `.manifest.json` added to its name. Through a link, both are those of
   * the file that it leads to.
   */
  output: string;
  origin: DatasetOrigin;
  /** Replaces a file that is no export; one that is always gets replaced. */
  force?: boolean | undefined;
  /** How many simulated sessions are not among them. */
  simulatedLeftOut: number;
  onProgress?: (sessions: number) => void;
}

/**
 * Says that there is nothing to write, and how simulated sessions would be.
 *
 * @param simulated how many pass but for being simulated
 */
export function nothingPasses(output: string, simulated: number, hint: string): AtlasError {
  const all = simulated === 0 ? "" : `; ${simulated} that would are simulated`;
  return new AtlasError(
    "ATLAS_NOTHING_TO_EXPORT",
    `no session passes the filters, so nothing was written${all}`,
    {
      where: output,
      hint: simulated === 0 ? hint : "Simulated sessions go in with --include-simulated.",
    },
  );
}

/** What computed the reward, drift and review statuses of a session. */
export function derivationsOf({ reward, drift, review_changes }: SessionTrace): DerivationName[] {
  return [reward, drift, ...review_changes].flatMap((event) => {
    const derivation = event?.meta.derivation;
    if (derivation === null || derivation === undefined) return [];
    const { processor, version, rules_hash } = derivation;
    return [{ processor, version, rules_hash }];
  });
}

const manifestOf = (output: string): string => `${output}.manifest.json`;

/**
 * Refuses to replace a file that this package did not export: one with something in it, and no manifest beside it. Of a
 * link, what it leads to counts.
 *
 * @throws AtlasError ATLAS_FILE_UNWRITABLE
 */
export async function refuseForeign(output: string): Promise<void> {
  const target = await targetOf(output).catch(() => undefined);
  if (target?.found === undefined || !target.found.isFile() || target.found.size === 0) return;
  const manifest = await readFile(manifestOf(target.path), "utf8").catch(() => "");
  if (manifest.includes(JSON.stringify(FORMAT))) return;
  throw new AtlasError("ATLAS_FILE_UNWRITABLE", "there is a file that is no export of Atlas", {
    where: output,
    hint: "Name another file, or replace it with --force.",
  });
}

/**
 * Writes sessions as JSON lines, whole or not at all, and a manifest beside them. Two exports to one path end with the
 * file of one of them, and its manifest.
 *
 * @throws AtlasError ATLAS_NOTHING_TO_EXPORT (no file is written then), ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL
 */
export async function exportSessions({
  sessions,
  output,
  origin,
  force = false,
  simulatedLeftOut,
  onProgress,
}: ExportOptions): Promise<ExportSummary> {
  if (!force) await refuseForeign(output);
  const counts = { sessions: 0, steps: 0, simulated: 0 };
  const derivations = new Map<string, DerivationName>();
  async function* lines(): AsyncIterable<string> {
    for await (const trace of sessions) {
      yield `${encodeTrainingLine(trace)}\n`;
      counts.sessions += 1;
      counts.steps += trace.steps.length;
      if (trace.simulated) counts.simulated += 1;
      for (const derivation of derivationsOf(trace))
        derivations.set(Object.values(derivation).join(" "), derivation);
      onProgress?.(counts.sessions);
    }
    if (counts.sessions === 0) {
      throw nothingPasses(
        output,
        simulatedLeftOut,
        "Approve sessions with `atlas review approve`, or ask for others with --include-status.",
      );
    }
  }
  const file = await stage(output, lines());
  const { path, bytes, sha256 } = file;
  const manifest: ExportManifest = {
    format: FORMAT,
    ...origin,
    derivations: [...derivations.keys()].sort().map((key) => derivations.get(key)!),
    sessions: counts.sessions,
    steps: counts.steps,
    simulated_sessions: counts.simulated,
    left_out: { simulated: simulatedLeftOut },
    file: { name: basename(file.target), bytes, sha256 },
  };
  const summary = { file: { path, bytes, sha256 }, manifest };
  if (file.temporary === undefined) return { ...summary, manifestPath: undefined };
  const beside = await stage(manifestOf(file.target), [`${JSON.stringify(manifest, null, 2)}\n`]).catch(
    async (error: unknown) => {
      await discard([file]);
      throw error;
    },
  );
  await publish([file, beside]);
  return { ...summary, manifestPath: beside.path };
}
