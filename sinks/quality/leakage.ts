import { createHash } from "node:crypto";
import type { Check } from "./check.ts";
import type { QualityRecord } from "./record.ts";

const normalised = (text: string): string =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{S}]+/gu, " ")
    .trim();

const digest = (text: string): string => createHash("sha256").update(text).digest("base64").slice(0, 16);

/** A task or group, and where it was seen first. */
interface Seen {
  part: string | null;
  at: string;
  isShared: boolean;
}

/** No task and no group is in two parts: what a model is measured by is not what it learned from. */
export function leakage(): Check {
  const seen = new Map<string, Seen>();
  const parts = new Set<string | null>();
  let shared = 0;
  /** Where the same was in another part. */
  const elsewhere = (key: string, { part, place }: QualityRecord): string | undefined => {
    const before = seen.get(key);
    if (before === undefined) seen.set(key, { part, at: `${place.file}:${place.line}`, isShared: false });
    if (before === undefined || before.part === part) return undefined;
    if (!before.isShared) shared += 1;
    before.isShared = true;
    return before.at;
  };
  return {
    read(record, report) {
      parts.add(record.part);
      const task = normalised(record.task);
      const taskAt = task === "" ? undefined : elsewhere(`task ${digest(task)}`, record);
      const { group } = record;
      const groupAt = group === null ? undefined : elsewhere(`group ${digest(group)}`, record);
      if (groupAt !== undefined) report(record.place, `its group is in another part too, at ${groupAt}`);
      else if (taskAt !== undefined) report(record.place, `its task is in another part too, at ${taskAt}`);
    },
    end() {
      if (parts.size < 2) return { value: null, note: "there is one part" };
      return { value: shared };
    },
  };
}
