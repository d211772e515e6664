import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { EventLog } from "../../log/event-log.ts";
import { toOutgoing } from "../../log/outgoing.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { isMasked, type Mask, type Masked, maskingBy, withLogged } from "../../schemas/masked.ts";
import { splitContent } from "../../traces/content.ts";
import { fact } from "../log/facts.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What the compiler says of an assignment: `true` where it is allowed. */
type Takes<Target, Given> = Given extends Target ? true : false;
type Appended = Parameters<EventLog["append"]>[0][number];

const marked: Mask = (event) =>
  event.type === "StepSkipped" ? { ...event, reason: `${event.reason}'` } : event;

test("the compiler refuses to append an event that was not masked", () => {
  const unmasked: Takes<Appended, AtlasEvent> = false;
  const masked: Takes<Appended, Masked> = true;
  expect([unmasked, masked]).toEqual([false, true]);
});

test("a copy of a masked event is none: it has to go through the mask again", () => {
  const event = maskingBy(marked)(fact(newId(), 1));
  expect(toOutgoing([event], 1)).toHaveLength(1);
  for (const copy of [{ ...event }, structuredClone(event) as Masked]) {
    expect(isMasked(copy)).toBe(false);
    expect(() => toOutgoing([copy], 1)).toThrow(expect.objectContaining({ code: "ATLAS_EVENT_UNMASKED" }));
  }
});

test("what the log has is put back as it is, and the mask is shown nothing twice", () => {
  const shown: AtlasEvent[] = [];
  const mask = maskingBy((event) => {
    shown.push(event);
    return marked(event);
  });
  const event = mask(fact(newId(), 1));
  expect(withLogged(event, { reason: "as it is" } as Partial<AtlasEvent>)).toMatchObject({
    reason: "as it is",
  });
  expect(shown).toHaveLength(1);
});

test("a long content is masked whole: its parts are masked, and none of them was shown to the mask", () => {
  const shown: number[] = [];
  const mask = maskingBy((event) => {
    shown.push(JSON.stringify(event).length);
    return marked(event);
  });
  const long = mask(fact(newId(), 1, "x".repeat(1_000_000)));
  let sequence = 1;
  const parts = splitContent(long, () => {
    sequence += 1;
    return { ...long.meta, event_id: newId(), sequence };
  });
  expect(parts.length).toBeGreaterThan(3);
  expect(parts.every(isMasked)).toBe(true);
  expect(shown).toHaveLength(1);
});

/** Where events come from that are masked already: a log, the spool, a cut, or what processors derived of facts. */
const SAYS_MASKED = [
  "app/rebuild.ts",
  "derivation/processor-consumer.ts",
  "derivation/rebuild/refill-content.ts",
  "derivation/rescore/promote.ts",
  "derivation/rescore/rescore.ts",
  "derivation/versions/promote-version.ts",
  "reactors/judging/judging-reactor.ts",
  "recording/spool/drain-spools.ts",
  "recording/spool/spool.ts",
  "schemas/masked.ts",
  "traces/content.ts",
];

test("only who reads, cuts or derives may say that an event is masked already", () => {
  const folders =
    "app,cli,database,derivation,intake,judges,log,models,processors,producers,projections,reactors,recording,schemas,sinks,traces";
  const saying = globSync(`{${folders}}/**/*.ts`, { cwd: ROOT }).filter((file) =>
    readFileSync(join(ROOT, file), "utf8").includes("alreadyMasked"),
  );
  expect(saying.sort()).toEqual(SAYS_MASKED);
});
