import type { Database } from "../../database/database.ts";
import type { EventLog } from "../../log/event-log.ts";
import { createEvent } from "../../schemas/codec.ts";
import { idOf } from "../../schemas/identity.ts";
import { assumedTime, beginIntake, type ImportSummary, type IntakeOptions } from "../import/intake.ts";
import type { RecordedProblem } from "../import/read-recordings.ts";
import { migratedSession } from "./migrated-session.ts";
import { readOldSession } from "./old-session.ts";
import { type OldPlaybook, readOldPlaybooks, readOldSessions } from "./read-database.ts";
import { readExport } from "./read-export.ts";

/** Where old sessions are: a database of the Python SDK, or a file that its exporter wrote. */
export type OldSource = { db: Database } | { file: string };

/** What to migrate, and where to. */
export interface MigrateOptions extends Omit<IntakeOptions, "log"> {
  source: OldSource;
  log: Pick<EventLog, "append" | "mask" | "read">;
  /** Hash of the rules that the sessions are rewarded by. */
  rulesHash: string;
  /** When sessions without times happened; 1970 unless told, so that it does not depend on when they are migrated. */
  at?: Date | undefined;
}

interface Row {
  /** The line of a file, or the id in a database. */
  line: number;
  text: string;
}

async function* rowsOf(source: OldSource): AsyncGenerator<Row | RecordedProblem> {
  if ("file" in source) yield* readExport(source.file);
  else for await (const { id, text } of readOldSessions(source.db)) yield { line: Number(id), text };
}

/** The playbooks that the log does not have yet, as their first revisions. */
async function migratePlaybooks(
  log: MigrateOptions["log"],
  playbooks: readonly OldPlaybook[],
): Promise<number> {
  const known = new Set<string>();
  for await (const batch of log.read(["atlas.learning"]))
    for (const { event } of batch) known.add(event.meta.event_id);
  const events = playbooks.flatMap(({ learning_key, updated_us, ...texts }) =>
    (["student", "teacher"] as const).flatMap((audience, index) => {
      const text = texts[`${audience}_learning`];
      if (text === null || text.trim() === "") return [];
      const source = `migration/playbook/${idOf("playbook", learning_key, text)}`;
      const meta = {
        event_id: idOf(source, index),
        source,
        sequence: index + 1,
        occurred_at: Number(updated_us),
        time_assumed: false,
      };
      const playbook = JSON.stringify(text);
      return [createEvent("PlaybookRevised", meta, { learning_key, audience, revision: 1, playbook })];
    }),
  );
  const news = events.filter(({ meta }) => !known.has(meta.event_id));
  if (news.length > 0) await log.append(news.map(log.mask));
  return news.length;
}

/**
 * Turns the sessions of a Python SDK into events, oldest first, with their rewards and what was decided about them.
 * Migrating them again appends nothing, also when the first time was killed half-way. The old database is only read.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE; what the database and the log throw; the signal's reason when it aborts
 * @example
 * const { sessions, problems } = await migrateSessions({ source: { file: "traces.jsonl" }, log, rulesHash });
 */
export async function migrateSessions(options: MigrateOptions): Promise<ImportSummary> {
  const { source, log, rulesHash } = options;
  const place = "file" in source ? source.file : source.db.address;
  const { appender, summary, refuse } = beginIntake(options);
  const assumedStart = assumedTime(options.at, 0);
  let rows = 0;
  for await (const found of rowsOf(source)) {
    if ("reason" in found) {
      refuse(found);
      continue;
    }
    const old = readOldSession(found.text);
    if (typeof old === "string") {
      refuse({ file: place, line: found.line, reason: old });
      continue;
    }
    rows += 1;
    const migrated = migratedSession(old, { assumedStart: assumedStart + rows, rulesHash, mask: log.mask });
    await appender.add({ ...migrated, length: found.text.length });
  }
  await appender.flush();
  if ("db" in source) summary.events += await migratePlaybooks(log, await readOldPlaybooks(source.db));
  return summary;
}
