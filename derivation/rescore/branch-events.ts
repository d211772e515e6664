import { AtlasError } from "../../errors/atlas-error.ts";
import type { AtlasEvent, ReviewStatusChanged, Uuid } from "../../schemas/generated/events.ts";
import { idOf } from "../../schemas/identity.ts";
import { type Difference, revisionsOf } from "../compare-derived.ts";
import type { Derived } from "../recompute.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws AtlasError ATLAS_BRANCH_INVALID */
export function refuseName(branch: string): void {
  if (NAME.test(branch)) return;
  throw new AtlasError("ATLAS_BRANCH_INVALID", `${JSON.stringify(branch)} is no name for a branch`, {
    where: "branch",
    hint: "Use up to 64 letters, digits, dots, underscores and hyphens.",
  });
}

/** Derived events as those of a branch: their ids, sources and causes are the branch's own. */
export function inBranch(derived: Derived, branch: string): Derived {
  const own = new Map<Uuid, Uuid>();
  for (const { meta } of [...derived.values()].flat())
    own.set(meta.event_id, idOf(meta.event_id, "branch", branch));
  const rename = (id: Uuid | null | undefined): Uuid | null => own.get(id ?? "") ?? id ?? null;
  const move = (event: AtlasEvent): AtlasEvent => {
    const { meta } = event;
    const moved = {
      ...event,
      ...(event.type === "ReviewStatusChanged" && { overrode: rename(event.overrode) }),
      meta: {
        ...meta,
        event_id: own.get(meta.event_id)!,
        source: `branch/${branch}/${meta.source}`,
        causation_id: rename(meta.causation_id),
        derivation: { ...meta.derivation!, branch },
      },
    };
    return moved as AtlasEvent;
  };
  return new Map([...derived].map(([topic, events]) => [topic, events.map(move)]));
}

/** A word of a rule that no longer holds, taken back. */
function takenBack(last: ReviewStatusChanged): ReviewStatusChanged {
  const { meta } = last;
  return {
    ...last,
    from_status: last.to_status,
    to_status: "pending",
    because: "rule",
    author: null,
    note: "no rule applies any longer",
    overrode: meta.causation_id ?? null,
    meta: { ...meta, event_id: idOf(meta.event_id, "taken back") },
  };
}

/** What to append so that a branch says what was computed: events as they are, and revisions of what it said before. */
export function branchAdditions(differences: readonly Difference[]): AtlasEvent[] {
  return differences.flatMap((difference) => {
    const { live, recomputed } = difference;
    if (live.length === 0) {
      // The source of a key would go on counting from session to session: a session added later has one of its own.
      return recomputed.map((event, index) => {
        const source = `${event.meta.source}@${event.meta.session_id}@r0`;
        return { ...event, meta: { ...event.meta, source, sequence: index + 1 } } as AtlasEvent;
      });
    }
    const last = live.at(-1)!;
    if (recomputed.length > 0 || last.type !== "ReviewStatusChanged") return revisionsOf([difference]);
    if (last.to_status === "pending") return [];
    return revisionsOf([{ ...difference, recomputed: [takenBack(last)] }]);
  });
}
