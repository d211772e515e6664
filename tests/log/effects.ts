import type { Database } from "../../database/database.ts";
import type { Apply } from "../../log/event-log.ts";

/** What consumers of a test did: each fact that they were given has to be written down exactly once. */
export class Effects {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  async prepare(): Promise<void> {
    await this.db.query("create table effects (group_id text, source text, sequence int, body text)");
  }

  /** Writes down each fact that it is given. */
  writeDown(group: string, before?: Apply): Apply {
    return async (batch, unit) => {
      for (const { event } of batch) {
        await unit.tx.query("insert into effects values ($1, $2, $3, $4)", [
          group,
          event.meta.source,
          event.meta.sequence,
          event.type === "StepSkipped" ? event.reason : event.type,
        ]);
      }
      await before?.(batch, unit);
    };
  }

  async of(group: string): Promise<string[]> {
    const { rows } = await this.db.query<{ effect: string }>(
      "select source || '#' || sequence as effect from effects where group_id = $1 order by source, sequence",
      [group],
    );
    return rows.map((row) => row.effect);
  }
}

/** The effects of the first facts of sessions. */
export const effectsOf = (sessions: readonly string[], count: number): string[] =>
  [...sessions]
    .sort()
    .flatMap((session) => Array.from({ length: count }, (_, index) => `${session}#${index + 1}`));
