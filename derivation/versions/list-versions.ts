import { AtlasError } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import { lagOf } from "../../log/runner/caught-up.ts";
import { topicsRead } from "../../log/runner/positions.ts";
import {
  countShadows,
  forgetGroup,
  outboxOf,
  versionOfGroup,
  versionRoles,
} from "../../log/runner/versions.ts";

/** A version of a processor, as a database has it. */
export interface ProcessorVersion {
  processor: string;
  version: number;
  /** `answers`, `silent` where another version does, `mixed` while one is being promoted. */
  role: "answers" | "silent" | "mixed";
  /** Records that it has not applied yet. */
  behind: number;
  /** Results that it has kept and not published. */
  kept: number;
}

/**
 * Every version of every processor that a database has.
 *
 * @param log with a database
 */
export async function listVersions(log: EventLog): Promise<ProcessorVersion[]> {
  const db = log.db!;
  const roles = await versionRoles(db);
  const kept = await countShadows(db);
  const versions: ProcessorVersion[] = [];
  for (const group of new Set(roles.map((role) => role.group))) {
    const shadows = new Set(roles.filter((role) => role.group === group).map(({ shadow }) => shadow));
    const { name, version } = versionOfGroup(group)!;
    const lag = await lagOf(db, group, await log.ends(await topicsRead(db, group)));
    versions.push({
      processor: name,
      version,
      role: shadows.size > 1 ? "mixed" : shadows.has(true) ? "silent" : "answers",
      behind: lag.reduce((sum, { behind }) => sum + behind, 0),
      kept: kept.get(group) ?? 0,
    });
  }
  return versions.sort((a, b) => a.processor.localeCompare(b.processor) || a.version - b.version);
}

/**
 * Forgets all that a database has of a version that does not answer: its state and what it kept. Stop the processes that run it
 * first; one that goes on begins anew.
 *
 * @throws AtlasError ATLAS_VERSION_NOT_FOUND; ATLAS_VERSION_ANSWERS where it answers, or has results that wait in its outbox
 */
export async function retireVersion(
  log: EventLog,
  { processor, version }: { processor: string; version: number },
): Promise<void> {
  const group = `${processor}@${version}`;
  await log.db!.transaction(async (tx) => {
    const roles = (await versionRoles(tx)).filter((role) => role.group === group);
    if (roles.length === 0)
      throw new AtlasError(
        "ATLAS_VERSION_NOT_FOUND",
        `this database has no version ${version} of ${processor}`,
        {
          where: processor,
          hint: "`atlas processors list` shows those that it has.",
        },
      );
    if (roles.some(({ shadow }) => shadow === false) || (await outboxOf(tx, group)) > 0)
      throw new AtlasError("ATLAS_VERSION_ANSWERS", `version ${version} of ${processor} answers`, {
        where: processor,
        hint: "Promote another version first: `atlas processors promote`.",
      });
    await forgetGroup(tx, group);
  });
}
