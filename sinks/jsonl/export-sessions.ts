import { basename } from "node:path";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Derivation } from "../../schemas/generated/events.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { encodeTrainingLine } from "../../traces/training-line.ts";
import { type WrittenFile, writeAtomically } from "../atomic-file.ts";

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
  format: "atlas-jsonl/1";
  /** What computed the rewards, drift and review statuses in the file. */
  derivations: DerivationName[];
  sessions: number;
  steps: number;
  simulated_sessions: number;
  file: { name: string; bytes: number; sha256: string };
}

/** What an export did. */
export interface ExportSummary {
  file: WrittenFile;
  manifestPath: string;
  manifest: ExportManifest;
}

/** What to export, and where to. */
export interface ExportOptions {
  sessions: AsyncIterable<SessionTrace>;
  /** The JSONL file; its manifest goes beside it, with `.manifest.json` added to its name. */
  output: string;
  origin: DatasetOrigin;
  onProgress?: (sessions: number) => void;
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

/**
 * Writes sessions as JSON lines, whole or not at all, and a manifest beside them.
 *
 * @throws AtlasError ATLAS_NOTHING_TO_EXPORT (no file is written then), ATLAS_FILE_UNWRITABLE, ATLAS_DISK_FULL
 */
export async function exportSessions({
  sessions,
  output,
  origin,
  onProgress,
}: ExportOptions): Promise<ExportSummary> {
  const counts = { sessions: 0, steps: 0, simulated: 0 };
  const derivations = new Map<string, DerivationName>();
  async function* lines(): AsyncIterable<string> {
    for await (const trace of sessions) {
      yield `${encodeTrainingLine(trace)}\n`;
      counts.sessions += 1;
      counts.steps += trace.steps.length;
      if (trace.started?.simulated === true) counts.simulated += 1;
      for (const derivation of derivationsOf(trace))
        derivations.set(Object.values(derivation).join(" "), derivation);
      onProgress?.(counts.sessions);
    }
    if (counts.sessions === 0) {
      throw new AtlasError(
        "ATLAS_NOTHING_TO_EXPORT",
        "no session passes the filters, so nothing was written",
        {
          where: output,
          hint: "Approve sessions with `atlas review approve`, or ask for others with --include-status.",
        },
      );
    }
  }
  const file = await writeAtomically(output, lines());
  const manifest: ExportManifest = {
    format: "atlas-jsonl/1",
    ...origin,
    derivations: [...derivations.keys()].sort().map((key) => derivations.get(key)!),
    sessions: counts.sessions,
    steps: counts.steps,
    simulated_sessions: counts.simulated,
    file: { name: basename(file.path), bytes: file.bytes, sha256: file.sha256 },
  };
  const written = await writeAtomically(`${output}.manifest.json`, [
    `${JSON.stringify(manifest, null, 2)}\n`,
  ]);
  return { file, manifestPath: written.path, manifest };
}
