// What each tenant spends on a day: a processor says what a session cost, and a read model adds it up.

import {
  defineEvent,
  defineProcessor,
  defineProjection,
  derive,
  joinLatest,
  ofType,
} from "atlas-sdk/processors";
import { map } from "rxjs";
import { z } from "zod";

/** Keyed by tenant, so that what one tenant spends stays in order. */
export const sessionCost = defineEvent({
  type: "acme.SessionCost",
  topic: "acme.session-costs",
  key: "tenant",
  zod: z.object({
    tenant: z.string(),
    day: z.string(),
    tokens: z.int(),
    usd: z.number(),
  }),
});

const dayOf = (micros: number): string => new Date(micros / 1000).toISOString().slice(0, 10);

export const sessionCosts = defineProcessor({
  name: "session-costs",
  version: 1,
  facts: ["SessionStarted", "SessionEnded"],
  emits: [sessionCost],
  key: ({ meta }) => meta.session_id ?? "",
  pipe: (facts$) => {
    const tenant$ = facts$.pipe(
      ofType("SessionStarted"),
      map(({ tenant }) => tenant ?? "nobody"),
    );
    return facts$.pipe(
      ofType("SessionEnded"),
      joinLatest(tenant$),
      map(([{ meta, usage, cost }, tenant]) =>
        derive(sessionCost, {
          tenant,
          day: dayOf(meta.occurred_at),
          tokens: usage?.total_tokens ?? 0,
          usd: cost ?? 0,
        }),
      ),
    );
  },
  ends: ({ type }) => type === "SessionEnded",
});

export const tenantCosts = defineProjection({
  name: "tenant-costs",
  version: 1,
  facts: [sessionCost],
  tables: `create table daily (
    tenant text, day date, sessions int, tokens bigint, usd double precision, primary key (tenant, day)
  )`,
  apply: async (facts, tx) => {
    for (const { tenant, day, tokens, usd } of facts)
      await tx.query(
        `insert into daily values ($1, $2, 1, $3, $4)
         on conflict (tenant, day) do update set sessions = daily.sessions + 1,
           tokens = daily.tokens + excluded.tokens, usd = daily.usd + excluded.usd`,
        [tenant, day, tokens, usd],
      );
  },
});
