import { z } from "zod";
import { block } from "./schema-parts.ts";

/** What `POST /score` of a worker takes. */
export const scoreSchema = block({
  max_steps: z.int().min(1).max(10_000).default(200).describe("Most steps of a trace."),
  max_questions: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1000)
    .describe("Most questions to judges that one request may ask; a sample is one, a function is one."),
  max_requests: z.int().min(1).max(10_000).default(16).describe("Most requests at a time."),
  max_mb: z.number().positive().max(256).default(8).describe("Most of one request, in MiB."),
  max_waiting_mb: z
    .number()
    .positive()
    .max(16_384)
    .default(64)
    .describe("Most of all requests that are being answered, in MiB."),
});

/** The limits of `POST /score`. */
export type ScoreLimits = z.output<typeof scoreSchema>;
