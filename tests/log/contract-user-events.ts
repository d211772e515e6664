import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { EventLog } from "../../log/event-log.ts";
import { addSchema } from "../../schemas/codec.ts";
import { defineEvent } from "../../schemas/define-event.ts";
import { definedFingerprint } from "../../schemas/defined-fingerprint.ts";
import type { EventDescription } from "../../schemas/event-definitions.ts";
import { newId } from "../../schemas/identity.ts";
import { eventsIn } from "../as-readers.ts";
import { LIMIT_MS } from "../eventually.ts";
import type { LogUnderTest } from "./contract.ts";
import { facts } from "./facts.ts";

const visit = defineEvent({
  type: "contract.Visit",
  topic: "contract.visits",
  key: "page",
  zod: z.object({ page: z.string(), seconds: z.int(), from: z.string().nullable().default(null) }),
});

const counted = defineEvent({
  type: "contract.Counted",
  topic: "contract.counts",
  zod: z.object({ facts: z.int() }),
});

/** Of which a log has a version that does not go with it. */
const moved = defineEvent({
  type: "contract.Moved",
  topic: "contract.moves",
  zod: z.object({ seconds: z.int() }),
});

/** An earlier version of an event, of which nothing is known but what the log has. */
function earlierVersion(
  latest: EventDescription,
  change: (fields: { name: string }[]) => void,
): EventDescription {
  const schema = JSON.parse(latest.schema) as { fields: { name: string }[] };
  change(schema.fields);
  const fingerprint = definedFingerprint(latest.type, schema);
  return { ...latest, fingerprint, schema: JSON.stringify(schema) };
}

const asWriter = ({ type: name, fingerprint, schema }: EventDescription): void =>
  addSchema({ name, version: 0, fingerprint, schema });

/** What every log does with events that users defined. */
export function userEventsContract(name: string, create: () => Promise<LogUnderTest>): void {
  describe(`events of users on ${name}`, () => {
    let under: LogUnderTest;
    const opened: EventLog[] = [];
    const open = async (): Promise<EventLog> => {
      const log = await under.open();
      opened.push(log);
      return log;
    };

    beforeEach(async () => {
      under = await create();
    });
    afterEach(async () => {
      asWriter(visit);
      asWriter(moved);
      for (const each of opened.splice(0)) await each.close();
      await under.close();
    });

    test("are appended, read and kept in order by their key", async () => {
      const log = await open();
      await log.define([visit]);
      const visits = [1, 2, 3].map((sequence) =>
        visit.create({ source: "site", sequence }, { page: "/a", seconds: sequence }),
      );
      await log.append(visits.map(log.mask));
      const found = (await eventsIn(log, visit.topic)).map((event) => visit.read(event)?.seconds);
      expect(found).toEqual([1, 2, 3]);
      expect((await log.ends([visit.topic])).get(visit.topic)).toHaveLength(log.partitions);
    });

    test("are emitted by a unit of work, once each, and consumed by another group", async () => {
      const log = await open();
      await log.define([visit, counted]);
      const session = newId();
      const counting = await log.consume(
        { group: "counting", topics: ["atlas.sessions"] },
        async (batch, unit) => {
          for (const { event } of batch) {
            const { event_id, session_id, occurred_at, sequence } = event.meta;
            const meta = {
              event_id,
              session_id: session_id ?? null,
              occurred_at,
              sequence,
              source: "counting",
            };
            unit.emit([log.mask(counted.create(meta, { facts: sequence }))]);
          }
        },
      );
      const seen: (number | undefined)[] = [];
      const reading = await log.consume({ group: "reading", topics: [counted.topic] }, async (batch) => {
        for (const { event } of batch) seen.push(counted.read(event)?.facts);
      });
      await log.append(facts(session, 3).map(log.mask));
      await log.caughtUp("counting", await log.ends(["atlas.sessions"]), { timeoutMs: LIMIT_MS });
      await log.caughtUp("reading", await log.ends([counted.topic]), { timeoutMs: LIMIT_MS });
      expect(seen).toEqual([1, 2, 3]);
      await counting.stop();
      await reading.stop();
    });

    test("that an earlier version wrote are read with what is new as its default", async () => {
      const before = earlierVersion(visit, (fields) => fields.splice(-1));
      asWriter(before);
      const log = await open();
      await log.define([before]);
      await log.append([log.mask(visit.create({ source: "site", sequence: 1 }, { page: "/a", seconds: 9 }))]);

      asWriter(visit);
      const later = await open();
      await later.define([visit]);
      await later.append([
        later.mask(visit.create({ source: "site", sequence: 2 }, { page: "/a", seconds: 1, from: "/b" })),
      ]);
      const found = (await eventsIn(later, visit.topic)).map((event) => visit.read(event));
      expect(found).toMatchObject([
        { seconds: 9, from: null },
        { seconds: 1, from: "/b" },
      ]);
    });

    test("are refused where the log has a version that does not go with theirs", async () => {
      const before = earlierVersion(moved, (fields) => {
        Object.assign(fields[1]!, { type: "string" });
      });
      asWriter(before);
      const log = await open();
      await log.define([before]);
      const session_id = newId();
      const event = {
        ...moved.create({ source: "x", sequence: 1, session_id }, { seconds: 9 }),
        seconds: "nine",
      };
      await log.append([log.mask(event)]);
      asWriter(moved);
      const later = await open();
      await expect(later.define([moved])).rejects.toMatchObject({
        code: "ATLAS_SCHEMA_INCOMPATIBLE",
        message: expect.stringContaining("contract.Moved"),
      });
    });
  });
}
