import { z } from "zod";
import { rubricSchema } from "../../configs/rules-schema.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import { issueWords } from "../../models/issue-words.ts";

/** A step of a trace, as training files have it; keys that judges have no use for may stand beside these. */
const step = z.object({
  step_id: z.int().optional(),
  description: z.string().nullish(),
  output: z.string().nullish(),
  guidance: z.array(z.string()).nullish(),
  status: z.string().nullish(),
});

/** A whole trajectory, as a line of a training file has it. */
const trajectory = z
  .array(
    z.object({
      event: z.looseObject({
        payload: z.looseObject({
          metadata: z.looseObject({ event: z.string(), event_id: z.string(), sequence: z.number() }),
          data: z.looseObject({}),
        }),
      }),
    }),
  )
  .nullish();

const trace = z.object({
  task: z.string().min(1, { error: "must not be empty" }),
  final_answer: z.string().nullish(),
  ground_truth: z.string().nullish(),
  steps: z.array(step).nullish(),
  session_metadata: z.looseObject({ session_id: z.unknown() }).nullish(),
  trajectory_events: trajectory,
});

const schema = z.strictObject({
  trace,
  rubric: rubricSchema.optional(),
});

/** What `POST /score` takes. */
export type ScoreRequest = z.output<typeof schema>;
/** The trace in it. */
export type GivenTrace = ScoreRequest["trace"];

/** Most problems that an answer lists. */
const LISTED = 5;

/**
 * Reads a request's body.
 *
 * @throws AtlasError ATLAS_REQUEST_INVALID saying what is wrong where
 */
export function readScoreRequest(text: string): ScoreRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AtlasError("ATLAS_REQUEST_INVALID", "the body is not JSON", {
      hint: 'Send {"trace": {"task": "…", "final_answer": "…"}}.',
    });
  }
  const read = schema.safeParse(value, { reportInput: true });
  if (read.success) return read.data;
  const problems = read.error.issues
    .slice(0, LISTED)
    .map((issue) => `${issue.path.join(".") || "the body"}: ${issueWords(issue)}`);
  throw new AtlasError("ATLAS_REQUEST_INVALID", problems.join("; "), {
    hint: "A trace is a line of a training file, or has a task, a final_answer, and steps where there are any.",
  });
}
