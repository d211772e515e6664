import { z } from "zod";
import { block, text } from "./schema-parts.ts";

/** Files of approved sessions that grow as sessions are approved. */
export const liveDatasetSchema = block({
  path: text.describe("Folder of the files, from the working directory."),
  rotate_mb: z
    .number()
    .min(1)
    .max(100_000)
    .default(64)
    .describe("The next file begins before one would grow beyond this, in MiB."),
  include_simulated: z.boolean().default(false).describe("Whether simulated sessions are written, too."),
});
