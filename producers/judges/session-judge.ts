import { z } from "zod";
import { explain } from "../../errors/atlas-error.ts";
import { REDACTED } from "../../log/masking/marker.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import { foldSession } from "../../traces/fold.ts";
import { callModel, type RecordedReply } from "../call-model.ts";
import { jsonText } from "../json-text.ts";
import type { ModelClient } from "../models/model-client.ts";
import { jsonSchemaOf } from "../models/reply-schema.ts";
import { SESSION_JUDGE } from "../prompts/session-judge.ts";
import { readReply } from "../read-reply.ts";
import type { SessionScope } from "../session-scope.ts";
import { usageOf } from "../tokens.ts";
import { judgedSession } from "./judged-session.ts";

/** The name under which rubrics weigh this judge. */
export const SESSION_JUDGE_NAME = "session_reward";

/** What a judge thought of a session. */
export interface Judgement {
  /** Id of the event that holds it. */
  eventId: Uuid;
  judge: string;
  /** 0 to 1. */
  score: number;
  /** 0 to 1. */
  uncertainty: number;
  rationale: string;
}

const unit = z
  .number({ error: ({ input }) => `is ${JSON.stringify(input) ?? "missing"}, not a number` })
  .refine((value) => value >= 0 && value <= 1, {
    error: ({ input }) => `is ${input}, not between 0 and 1`,
  });

const Reply = z.object({
  score: unit,
  uncertainty: unit,
  rationale: z.string(),
  principles: z
    .array(z.object({ name: z.string(), weight: z.number().nullish(), description: z.string().nullish() }))
    .default([]),
});

/**
 * Asks a judge for the score of a session that has ended, and records it. The judge sees what happened and never an
 * earlier score. A score that is missing, unreadable or out of range is recorded as a failed judgement; none is made
 * up, none is clamped.
 *
 * @returns the judgement; undefined where there is none
 */
export async function judgeSession(scope: SessionScope, client: ModelClient): Promise<Judgement | undefined> {
  const { recorder } = scope;
  const about = {
    judge: SESSION_JUDGE_NAME,
    scope: "session",
    stage: "sample",
    provider: client.provider,
    prompt_version: SESSION_JUDGE.version,
  };
  const failed = (reason: string, reply?: RecordedReply): undefined => {
    const model = reply?.model ?? client.model;
    recorder.emit("JudgementFailed", { ...about, model, reason, call_id: reply?.callId ?? null });
  };

  const history = recorder.history();
  const trace = history.length === 0 ? undefined : foldSession(history);
  if (trace?.started == null || trace.started.task === REDACTED)
    return failed("what the session was about is not recorded, so there is nothing to judge");
  let reply: RecordedReply;
  try {
    reply = await callModel(scope, {
      client,
      role: "judge",
      request: {
        messages: [
          { role: "system", content: SESSION_JUDGE.text },
          { role: "user", content: JSON.stringify(judgedSession(trace)) },
        ],
        json: true,
        jsonSchema: jsonSchemaOf(Reply),
        promptVersion: SESSION_JUDGE.version,
      },
    });
  } catch (error) {
    return failed(explain(error));
  }

  const { value, problem } = readReply(Reply, reply.content);
  if (value === undefined) return failed(`the judge's reply could not be read: ${problem}`, reply);
  const { score, uncertainty, rationale, principles } = value;
  const eventId = recorder.emit("JudgementMade", {
    ...about,
    model: reply.model,
    score,
    uncertainty,
    rationale,
    principles: jsonText(principles),
    usage: reply.usage === undefined ? null : usageOf(reply.usage),
    call_id: reply.callId,
  });
  return { eventId, judge: SESSION_JUDGE_NAME, score, uncertainty, rationale };
}
