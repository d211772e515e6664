// Rollouts of one task that all say the same teach nothing: how many different answers does a group have?

import { createHash } from "node:crypto";
import {
  defineEvent,
  defineProcessor,
  derive,
  type EventOfKind,
  joinLatest,
  ofType,
  slidingWindow,
} from "atlas-sdk/processors";
import { filter, map } from "rxjs";
import { z } from "zod";

/** Sessions of a group may lie in different partitions: an event that is keyed by the group brings them together. */
export const rolloutEnded = defineEvent({
  type: "acme.RolloutEnded",
  topic: "acme.rollouts",
  key: "group",
  zod: z.object({ group: z.string(), answer: z.string() }),
});

export const groupDiversity = defineEvent({
  type: "acme.GroupDiversity",
  topic: "acme.diversity",
  key: "group",
  zod: z.object({
    group: z.string(),
    rollouts: z.int(),
    /** Different answers by rollouts: 1 where no two are the same. */
    diversity: z.number(),
  }),
});

const digestOf = (text: string): string =>
  createHash("sha256").update(text.trim()).digest("hex").slice(0, 16);

type Started = EventOfKind<"SessionStarted">;

export const rollouts = defineProcessor({
  name: "rollouts",
  version: 1,
  facts: ["SessionStarted", "SessionEnded"],
  emits: [rolloutEnded],
  key: ({ meta }) => meta.session_id ?? "",
  pipe: (facts$) => {
    const group$ = facts$.pipe(
      ofType("SessionStarted"),
      map(({ group_id }: Started) => group_id),
      filter((group) => group !== null && group !== undefined),
    );
    return facts$.pipe(
      ofType("SessionEnded"),
      filter(({ status }) => status === "succeeded"),
      joinLatest(group$),
      map(([{ final_answer }, group]) =>
        derive(rolloutEnded, { group, answer: digestOf(final_answer ?? "") }),
      ),
    );
  },
  ends: ({ type }) => type === "SessionEnded",
});

/** Of the last so many rollouts of a group. */
const MOST = 64;

export const diversity = defineProcessor({
  name: "rollout-diversity",
  version: 1,
  facts: [rolloutEnded],
  emits: [groupDiversity],
  key: ({ group }) => group,
  pipe: (facts$) =>
    facts$.pipe(
      map(({ group, answer }) => ({ group, answer })),
      slidingWindow(MOST),
      map((window) =>
        derive(groupDiversity, {
          group: window[0]!.group,
          rollouts: window.length,
          diversity: new Set(window.map(({ answer }) => answer)).size / window.length,
        }),
      ),
    ),
});
