import { setTimeout as sleep } from "node:timers/promises";
import type { AtlasConfig } from "../configs/config-schema.ts";
import { type Backoff, backoffMs } from "../errors/retry.ts";
import type { EventLog } from "../log/event-log.ts";
import { versionOfGroup, versionRoles } from "../log/runner/versions.ts";
import type { GuardedLogger } from "../logging/guard-logger.ts";
import { defaultLogger } from "../logging/process-warnings.ts";

/** Whether versions of a configuration answer by themselves, as soon as they have caught up. */
export const promotesBySelf = ({ promotion, log }: Pick<AtlasConfig, "promotion" | "log">): boolean =>
  (promotion ?? (log.kind === "embedded" ? "automatic" : "manual")) === "automatic";

/** Promotes a group where it is a version that does not answer everywhere. */
export async function promoteIfSilent(log: EventLog, group: string, signal?: AbortSignal): Promise<void> {
  const version = versionOfGroup(group);
  if (version === undefined || log.db === undefined) return;
  const roles = await versionRoles(log.db);
  if (!roles.some((role) => role.group === group && role.shadow === true)) return;
  const { promoteVersion } = await import("../derivation/versions/promote-version.ts");
  await promoteVersion(log, { processor: version.name, version: version.version, signal });
}

/** Something that runs until all versions of a process answer. */
export interface Promotion {
  stop(): Promise<void>;
}

const PAUSE: Backoff = { firstMs: 250, longestMs: 5000 };

/**
 * Watches the versions that a process runs until each of them answers in every partition: promotes them as soon as they have
 * caught up, or says once that they wait for somebody to do it.
 */
export function startPromotion(
  log: EventLog,
  groups: readonly string[],
  { automatic, logger = defaultLogger }: { automatic: boolean; logger?: GuardedLogger | undefined },
): Promotion {
  const stopping = new AbortController();
  const { signal } = stopping;
  const says = logger.of("consumer");
  const told = new Set<string>();
  const look = async (): Promise<boolean> => {
    const roles = (await versionRoles(log.db!)).filter(({ group }) => groups.includes(group));
    const silent = [...new Set(roles.filter(({ shadow }) => shadow === true).map(({ group }) => group))];
    for (const group of silent) {
      if (automatic) await promoteIfSilent(log, group, signal);
      else if (!told.has(group))
        says.warn(
          { code: "ATLAS_VERSION_SILENT", group },
          `does not answer yet: another version does; promote it with \`atlas processors promote ${versionOfGroup(group)!.name}\``,
        );
      told.add(group);
    }
    return roles.length === groups.length * log.partitions && (silent.length === 0 || !automatic);
  };
  const run = async (): Promise<void> => {
    for (let tries = 1; !signal.aborted; tries += 1) {
      // What is away now, or does not keep up, is tried again.
      const done = await look().catch(() => false);
      if (done) return;
      await sleep(
        backoffMs(PAUSE, tries, () => 1),
        undefined,
        { signal, ref: false },
      ).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
