import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { type Atlas, openAtlas } from "../../app/open-atlas.ts";
import type { RunOptions } from "../../app/run-options.ts";
import type { EventLog } from "../../log/event-log.ts";
import type { RunResult } from "../../producers/run-session.ts";
import { simulatedModel } from "../../producers/simulated/simulated.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { recordsOf } from "../as-readers.ts";
import { checkSession } from "../producers/session-checks.ts";
import { only } from "../recording/memory-log.ts";

/** A session as it came out, and as the log tells it. */
export interface Told {
  result: RunResult;
  events: AtlasEvent[];
}

/** The events of a log's sessions, by session, as readers take them. */
export async function sessionsOf(log: EventLog): Promise<Map<string, AtlasEvent[]>> {
  const sessions = new Map<string, AtlasEvent[]>();
  for (const { event, key } of await recordsOf(log, ["atlas.sessions"]))
    sessions.set(key, [...(sessions.get(key) ?? []), event]);
  return sessions;
}

/** What holds for every session beyond {@link checkSession}: sums and parents agree with the calls. */
export function checkTold({ result, events }: Told): void {
  checkSession(events);
  const calls = only(events, "ModelCallEnded");
  const judging = new Set(["judge", "learning"]);
  const [end] = only(events, "SessionEnded");
  expect(end?.status).toBe(result.status);
  expect(end?.final_answer ?? undefined).toBe(result.finalAnswer?.toWellFormed());
  expect(end?.error === null).toBe(result.error === undefined);
  const counted = calls.filter(({ role }) => !judging.has(role));
  const answers = counted.filter(({ content }) => content !== null);
  const isTold = answers.length > 0 && answers.every(({ usage }) => usage !== null);
  expect(end?.usage?.calls).toBe(isTold ? counted.length : undefined);
  expect(result.tokens.calls).toBe(calls.length);
  expect(result.tokens.failed).toBe(calls.filter(({ content }) => content === null).length);
  const ids = new Set(
    [...only(events, "ModelCallStarted"), ...only(events, "ToolCallStarted")].map(({ call_id }) => call_id),
  );
  for (const { parent_id } of [...calls, ...only(events, "ToolCallEnded")])
    if (parent_id !== null) expect(ids).toContain(parent_id);
}

const OWN = simulatedModel({ latencyMs: 0 });

/** An Atlas on an embedded log for all tests of a file, and the way to run a session on it and read it back. */
export function hostileAtlas() {
  const folder = mkdtempSync(join(tmpdir(), "atlas-hostile-"));
  let atlas: Atlas;
  beforeAll(async () => {
    atlas = await openAtlas({ log: { kind: "embedded", path: folder } }, { consumers: false });
  });
  afterAll(async () => {
    await atlas.close();
    rmSync(folder, { recursive: true, force: true });
  });
  /** Runs sessions side by side; teacher and judge are simulated unless told. */
  return async (...sessions: readonly (Omit<RunOptions, "task"> & { task?: string })[]): Promise<Told[]> => {
    const results = await Promise.all(
      sessions.map((options) =>
        atlas.run({ task: "Say hello", teacher: OWN, judge: OWN, learningKey: "hostile", ...options }),
      ),
    );
    await Promise.all(results.map(({ durable }) => durable));
    const sessionsRead = await sessionsOf(atlas.log);
    const told = results.map((result) => ({ result, events: sessionsRead.get(result.sessionId) ?? [] }));
    for (const one of told) checkTold(one);
    return told;
  };
}
