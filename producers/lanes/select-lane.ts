import { z } from "zod";
import { explain } from "../../errors/atlas-error.ts";
import { excerpt } from "../../models/excerpt.ts";
import type { ModelClient, ModelRequest } from "../../models/model-client.ts";
import { readReply } from "../../models/read-reply.ts";
import { jsonSchemaOf } from "../../models/reply-schema.ts";
import { callModel } from "../../recording/call-model.ts";
import { type SessionScope, unlessAborted } from "../../recording/session-scope.ts";
import { PROBE } from "../prompts/probe.ts";
import type { Dossier } from "../triage/dossier.ts";
import { type History, type HistoryEntry, historyPayload } from "./history.ts";
import { LANES, type Lane, type LaneOptions } from "./lane.ts";

/** A lane, and why this one. */
export interface LaneChoice {
  lane: Lane;
  reason: string;
  /** 0 to 1. */
  confidence?: number;
  /** What the probe said, or why it said nothing. */
  probe?: Record<string, unknown>;
}

/** What the choice of a lane looks at. */
export interface LaneQuestion {
  task: string;
  learningKey: string;
  options: LaneOptions;
  history: History | undefined;
  dossier: Dossier | undefined;
}

const LONGEST_TASK = 24_000;
const LONGEST_DOSSIER = 16_000;

const Reply = z.object({
  mode: z
    .string()
    .nullish()
    .transform((mode) => LANES.find((lane) => lane === mode?.trim().toLowerCase())),
  confidence: z
    .number()
    .nullish()
    .transform((value) => (typeof value === "number" ? Math.min(Math.max(value, 0), 1) : undefined)),
});

function shownDossier(dossier: Dossier | undefined): unknown {
  if (dossier === undefined) return null;
  // Vectors tell a model nothing.
  const { embeddings: _vectors, task: _task, ...shown } = dossier;
  const text = JSON.stringify(shown);
  return text.length <= LONGEST_DOSSIER ? shown : excerpt(text, LONGEST_DOSSIER);
}

function laneOf(confidence: number, { auto = 0.85, paired = 0.65 }: LaneOptions["thresholds"] & {}): Lane {
  if (confidence >= auto) return "auto";
  return confidence >= paired ? "paired" : "coach";
}

function requestOf({ task, dossier, options }: LaneQuestion, entries: readonly HistoryEntry[]): ModelRequest {
  const payload = {
    task: excerpt(task, LONGEST_TASK),
    dossier: shownDossier(dossier),
    learning_history: historyPayload(entries, options.historyLimit ?? 10),
  };
  return {
    messages: [
      { role: "system", content: PROBE.text },
      { role: "user", content: JSON.stringify(payload) },
    ],
    json: true,
    jsonSchema: jsonSchemaOf(Reply),
    promptVersion: PROBE.version,
  };
}

async function probed(
  scope: SessionScope,
  client: ModelClient,
  question: LaneQuestion,
  entries: readonly HistoryEntry[],
): Promise<LaneChoice> {
  const { fallback = "paired", thresholds = {} } = question.options;
  let content: string;
  try {
    const request = requestOf(question, entries);
    ({ content } = await callModel(scope, { client, request, role: "probe" }));
  } catch (error) {
    return { lane: fallback, reason: "probe_failed", probe: { error: explain(error) } };
  }
  const { value, problem } = readReply(Reply, content);
  if (value === undefined) {
    const error = `the probe's reply could not be read: ${problem}`;
    return { lane: fallback, reason: "probe_failed", probe: { error, reply: excerpt(content, 1000) } };
  }
  const { mode, confidence } = value;
  const said = { mode: mode ?? null, confidence: confidence ?? null };
  if (mode === undefined && confidence === undefined) {
    const error = "the probe named neither a lane nor a confidence";
    return { lane: fallback, reason: "probe_failed", probe: { error, reply: excerpt(content, 1000) } };
  }
  return {
    lane: mode ?? laneOf(confidence!, thresholds),
    reason: "capability_probe",
    ...(confidence === undefined ? {} : { confidence }),
    probe: said,
  };
}

/**
 * Chooses a session's lane: forced, not adaptive, overridden, without history, by the probe, in this order. Never
 * throws: a history or a probe that fails costs the choice, not the session.
 */
export async function selectLane(scope: SessionScope, question: LaneQuestion): Promise<LaneChoice> {
  const { forced, adaptive = true, override, probe, fallback = "paired" } = question.options;
  if (forced !== undefined) return { lane: forced, reason: "forced", confidence: 1 };
  if (!adaptive) return { lane: "paired", reason: "adaptive_disabled" };
  if (override !== undefined) return { lane: override, reason: "override", confidence: 1 };
  let entries: readonly HistoryEntry[];
  try {
    entries = await unlessAborted(scope.signal, () => question.history?.(question.learningKey) ?? []);
  } catch (error) {
    return { lane: "paired", reason: "history_unavailable", probe: { error: explain(error) } };
  }
  if (entries.length === 0) return { lane: "paired", reason: "no_learning_history" };
  if (probe === undefined) return { lane: fallback, reason: "probe_disabled" };
  return probed(scope, probe, question, entries);
}
