import type { Queryable } from "../database/database.ts";
import type { PlaybookRevised } from "../schemas/generated/events.ts";
import { isoOf } from "../schemas/identity.ts";
import { cleanText, jsonValue } from "../traces/clean-text.ts";
import type { TableNames } from "./tables.ts";

const AUDIENCES = ["student", "teacher"] as const;

/** What stands in the column: the playbook's text, or its JSON where it has a form of its own. */
function textOf({ playbook }: PlaybookRevised): string {
  const value = jsonValue(playbook);
  return typeof value === "string" ? value : cleanText(playbook);
}

/** Writes revisions of playbooks; of one learning key and audience the highest stays, whichever came first. */
export async function writePlaybooks(
  tx: Queryable,
  tables: TableNames,
  revisions: readonly PlaybookRevised[],
): Promise<void> {
  for (const event of revisions) {
    const audience = AUDIENCES.find((known) => known === event.audience);
    if (audience === undefined) continue;
    const { meta, revision, model, prompt_version } = event;
    const about = {
      event_id: meta.event_id,
      revision,
      model: model ?? null,
      prompt_version: prompt_version ?? null,
    };
    const metadata = { [audience]: { ...about, last_updated_at: isoOf(meta.occurred_at) } };
    await tx.query(
      `insert into ${tables("learning_registry")} as old
         (learning_key, ${audience}_learning, ${audience}_revision, metadata, updated_at)
       values ($1, $2, $3, $4::jsonb, $5::timestamptz)
       on conflict (learning_key) do update
         set ${audience}_learning = excluded.${audience}_learning, ${audience}_revision = excluded.${audience}_revision,
             metadata = old.metadata || excluded.metadata, updated_at = greatest(old.updated_at, excluded.updated_at)
       where old.${audience}_revision < excluded.${audience}_revision`,
      [
        cleanText(event.learning_key),
        textOf(event),
        revision,
        JSON.stringify(cleanText(metadata)),
        isoOf(meta.occurred_at),
      ],
    );
  }
}
