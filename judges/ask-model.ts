import { z } from "zod";
import { explain, isAtlasError } from "../errors/atlas-error.ts";
import type { ModelClient } from "../models/model-client.ts";
import type { Prompt } from "../models/prompt.ts";
import { askChecked } from "../recording/ask-checked.ts";
import type { RecordedReply } from "../recording/call-model.ts";
import type { SessionScope } from "../recording/session-scope.ts";
import { usageOf } from "../recording/tokens.ts";
import type { TokenUsage } from "../schemas/generated/events.ts";
import { jsonText, textOf } from "../schemas/json-text.ts";
import type { ModelJudge } from "./judge.ts";
import { type JudgedPlace, type Judgement, judgementOf } from "./made-judgement.ts";

const unit = z
  .number({ error: ({ input }) => `is ${JSON.stringify(input) ?? "missing"}, not a number` })
  .refine((value) => value >= 0 && value <= 1, {
    error: ({ input }) => `is ${input}, not between 0 and 1`,
  });

/** What is asked for beside the score, and may be missing or of any form: it costs nobody the score. */
const aside = (wanted: z.ZodType) =>
  z
    .unknown()
    .optional()
    .meta({ ...z.toJSONSchema(wanted) });

const Reply = z.object({
  score: unit,
  uncertainty: unit,
  rationale: aside(z.string()).transform(textOf),
  principles: aside(
    z.array(z.object({ name: z.string(), weight: z.number().nullish(), description: z.string().nullish() })),
  ).transform((given) => (Array.isArray(given) ? (given as unknown[]) : [])),
});

/** What a model said of a place, as far as an arbitration needs it. */
export interface Said {
  judgement: Judgement;
  principles: unknown;
}

/** One question to one model. */
export interface Question {
  judge: ModelJudge;
  place: JudgedPlace;
  stage: "sample" | "arbitration";
  client: ModelClient;
  prompt: Prompt;
  /** JSON text. */
  material: string;
  /** Null leaves it to the model. */
  temperature: number | null;
}

/** All tokens that it took to get a reply that can be read; null where one of them is not known. */
function usageOfAll(replies: readonly RecordedReply[]): TokenUsage | null {
  let sum: TokenUsage | null = null;
  for (const { usage } of replies) {
    if (usage === undefined) return null;
    const one = usageOf(usage);
    sum =
      sum === null
        ? one
        : {
            prompt_tokens: sum.prompt_tokens + one.prompt_tokens,
            completion_tokens: sum.completion_tokens + one.completion_tokens,
            total_tokens: sum.total_tokens + one.total_tokens,
            reasoning_tokens: added(sum.reasoning_tokens, one.reasoning_tokens),
            cached_tokens: added(sum.cached_tokens, one.cached_tokens),
            calls: (sum.calls ?? 0) + 1,
          };
  }
  return sum;
}

const added = (a: number | null | undefined, b: number | null | undefined): number | null =>
  a == null || b == null ? (a ?? b ?? null) : a + b;

/**
 * Asks a model for a score and records what came of it: a judgement, or a failed one with the reason. A reply that
 * cannot be read is sent back once. No score is made up, none is clamped.
 *
 * @returns what it said, or whether it may be reached later
 */
export async function askModel(
  scope: SessionScope,
  { judge, place, stage, client, prompt, material, temperature }: Question,
): Promise<{ said?: Said; outage: boolean }> {
  const about = {
    judge: judge.name,
    ...place,
    stage,
    provider: client.provider,
    temperature: temperature ?? client.defaults?.temperature ?? null,
    prompt_version: prompt.version,
  };
  const failed = (reason: string, model = client.model, callId: string | null = null): void => {
    scope.recorder.emit("JudgementFailed", { ...about, model, reason, call_id: callId });
  };
  const call = {
    client,
    role: "judge" as const,
    request: {
      messages: [
        { role: "system" as const, content: prompt.text },
        { role: "user" as const, content: material },
      ],
      promptVersion: prompt.version,
      ...(temperature === null ? {} : { temperature }),
    },
  };
  let asked: Awaited<ReturnType<typeof askChecked<z.output<typeof Reply>>>>;
  try {
    asked = await askChecked(scope, call, Reply);
  } catch (error) {
    failed(explain(error));
    return { outage: isAtlasError(error) && error.retryable && !scope.signal.aborted };
  }
  const { value, problem, callId, replies } = asked;
  const { model } = replies.at(-1)!;
  if (value === undefined) {
    failed(`the judge's reply could not be read: ${problem}`, model, callId);
    return { outage: false };
  }
  const { score, uncertainty, rationale, principles } = value;
  const draft = {
    ...about,
    model,
    score,
    uncertainty,
    rationale,
    principles: jsonText(principles),
    usage: usageOfAll(replies),
    call_id: callId,
  };
  const eventId = scope.recorder.emit("JudgementMade", draft);
  return { said: { judgement: judgementOf(eventId, draft), principles }, outage: false };
}
