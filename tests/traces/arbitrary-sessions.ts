import fc from "fast-check";
import type { AtlasEvent, EventType, Meta } from "../../schemas/generated/events.ts";
import { topicOf } from "../../schemas/topics.ts";
import { anyEvent, LATEST } from "../schemas/arbitrary-events.ts";
import { sessionId, stored } from "./sessions.ts";

const TYPES = [...LATEST.keys()];
const OWN = TYPES.filter((type) => topicOf(type) === "atlas.sessions" && type !== "SessionStarted");
const ELSEWHERE: EventType[] = [
  "SessionRewarded",
  "DriftAssessed",
  "ReviewStatusChanged",
  "ReviewDecided",
  "PlaybookUsed",
];

/** Small numbers, so that events of one session speak of the same steps and attempts. */
const few = fc.integer({ min: 1, max: 3 });

function placed(event: AtlasEvent, name: string, index: number, source: string, steps: number[]): AtlasEvent {
  const id = sessionId(name);
  const meta: Meta = {
    ...event.meta,
    session_id: id,
    source,
    sequence: index,
    occurred_at: 1_700_000_000_000_000 + index * 1000,
    trace_id: null,
    derivation: event.meta.derivation == null ? null : { ...event.meta.derivation, branch: null },
  };
  const [step, attempt] = steps;
  const numbers = { ...("step_id" in event && { step_id: step }), ...("attempt" in event && { attempt }) };
  return stored({ ...event, ...numbers, meta } as AtlasEvent);
}

/** Any session that the schemas allow: any events in any order after its start, any texts, any JSON. */
export const anySession = (name: string): fc.Arbitrary<AtlasEvent[]> => {
  const id = sessionId(name);
  const own = fc.array(fc.tuple(fc.constantFrom(...OWN).chain(anyEvent), few, few), { maxLength: 25 });
  const elsewhere = fc.array(fc.constantFrom(...ELSEWHERE).chain(anyEvent), { maxLength: 5 });
  return fc
    .tuple(anyEvent("SessionStarted"), own, elsewhere)
    .map(([start, events, facts]) => [
      placed(start, name, 1, id, []),
      ...events.map(([event, step, attempt], index) => placed(event, name, index + 2, id, [step, attempt])),
      ...facts.map((event, index) => placed(event, name, index + 1, `${event.type}/${id}`, [1])),
    ]);
};
