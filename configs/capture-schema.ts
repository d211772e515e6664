import { z } from "zod";
import { nestsRepeats } from "../guards/nested-repeats.ts";
import { asksModels, type JudgesConfig } from "./judges-schema.ts";
import { NESTED_REPEATS } from "./schema-parts.ts";

const isPattern = (source: string): boolean => {
  try {
    return new RegExp(source, "u").source !== "";
  } catch {
    return false;
  }
};

/** What is recorded of a session, and what is taken out before anything is written. */
export const captureSchema = z.strictObject({
  level: z
    .enum(["full", "no-content", "metadata-only"])
    .default("full")
    .describe("All of it, all but what was said, or only how it went."),
  mask: z
    .array(z.enum(["api_key", "jwt", "email", "card", "secret"]))
    .default([])
    .describe("What is recognised and taken out."),
  names: z
    .array(z.string().regex(/[\p{L}\p{N}]/u, { error: "must have a letter or a digit" }))
    .default([])
    .describe("Names of your own under which everything is secret, such as keys of JSON."),
  patterns: z
    .array(
      z
        .string()
        .min(1, { error: "must not be empty" })
        .refine(isPattern, { error: "must be a regular expression, without slashes", abort: true })
        .refine((source) => !nestsRepeats(source), { error: NESTED_REPEATS }),
    )
    .default([])
    .describe("Regular expressions; everything that matches is taken out."),
});

/** Where events wait while the log does not answer. */
export const spoolSchema = z.strictObject({
  path: z
    .string()
    .min(1, { error: "must not be empty" })
    .optional()
    .describe("Folder, from the working directory; spool/ in the embedded log's folder, else .atlas/spool."),
});

/** What a configuration cannot ask for: a judge that sees nothing of what it judges. */
export const JUDGE_NEEDS_CONTENT = {
  path: ["capture", "level"],
  error:
    "hides from the judge what it would judge: leave out `judge` and judges of the type model, or capture in full",
};

/** Says whether a configuration's judges see what they judge; functions make do with what is recorded. */
export const judgeSees = (config: {
  capture: { level: string };
  judge?: unknown;
  judges?: JudgesConfig | undefined;
}): boolean => !asksModels(config) || config.capture.level === "full";
