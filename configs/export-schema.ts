import { z } from "zod";
import { REVIEW_STATUSES } from "../schemas/vocabulary.ts";
import { block } from "./schema-parts.ts";

const error = `must be all, or a list of ${REVIEW_STATUSES.join(", ")}`;

/** What leaves with an export. */
export const exportSchema = block({
  review_statuses: z
    .union([z.literal("all"), z.array(z.enum(REVIEW_STATUSES)).min(1)], { error })
    .optional()
    .describe("Review statuses that are exported; approved unless told."),
});
