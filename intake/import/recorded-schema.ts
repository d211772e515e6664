import { z } from "zod";
import { microsOf } from "./recorded-time.ts";

const ROLES = ["system", "developer", "user", "assistant", "tool", "function"] as const;

const text = z.string({ error: "is not a text" });
const count = z.union([z.string(), z.number()], { error: "is neither a text nor a number" });
const time = z
  .unknown()
  .refine((value) => value === undefined || value === null || microsOf(value) !== undefined, {
    error: "is no time between 1970 and 2254, in ISO 8601 or since the epoch",
  })
  .optional();
const called = z.looseObject(
  { name: text, arguments: z.unknown().optional() },
  { error: "is not an object" },
);
const toolCall = z.looseObject({ id: text.nullish(), function: called }, { error: "is not an object" });
const part = z.union([z.string(), z.looseObject({})], { error: "is not a part of a content" });

const messageSchema = z.looseObject(
  {
    role: z.enum(ROLES, { error: `is not one of ${ROLES.join(", ")}` }),
    content: z
      .union([z.string(), z.null(), z.array(part)], { error: "is not a text, null or a list of parts" })
      .optional(),
    name: text.nullish(),
    refusal: text.nullish(),
    tool_calls: z.array(toolCall, { error: "is not a list" }).nullish(),
    tool_call_id: text.nullish(),
    function_call: called.nullish(),
    created_at: time,
    timestamp: time,
  },
  { error: "is not an object" },
);

/** What is asked of a row; what else it holds is kept. */
export const rowSchema = z.looseObject(
  {
    messages: z.array(messageSchema, { error: "is not a list of messages" }).min(1, { error: "is empty" }),
    id: count.nullish(),
    task: text.nullish(),
    reward: z
      .number({ error: "is not a number" })
      .min(0, { error: "is below 0" })
      .max(1, { error: "is above 1" })
      .nullish(),
    status: z
      .enum(["succeeded", "failed", "cancelled"], { error: "is not one of succeeded, failed, cancelled" })
      .nullish(),
    metadata: z.record(z.string(), z.unknown(), { error: "is not an object" }).nullish(),
    created_at: time,
    timestamp: time,
  },
  { error: "is not an object with messages" },
);

/** A message in OpenAI's chat format, as loosely as recordings keep to it. */
export type RecordedChat = z.infer<typeof messageSchema>;
/** A row as it is recorded. */
export type RecordedJson = z.infer<typeof rowSchema>;

/** Why a value is no row, in words; undefined where it is one. */
export function rowProblem(value: unknown): string | undefined {
  const checked = rowSchema.safeParse(value);
  return checked.success ? undefined : problemOf(checked.error.issues[0]!);
}

function problemOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.reduce<string>(
    (at, key) => (typeof key === "number" ? `${at}[${key}]` : `${at}${at === "" ? "" : "."}${String(key)}`),
    "",
  );
  return `${path === "" ? "it" : path} ${issue.message}`;
}
