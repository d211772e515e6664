import { AtlasError } from "../errors/atlas-error.ts";
import { REVIEW_STATUSES, type ReviewStatus, SESSION_STATUSES } from "../schemas/vocabulary.ts";

/** How help says which statuses a session can have. */
export const SESSION_STATUS_NAMES = SESSION_STATUSES.join(", ");

function oneOf(words: readonly string[], known: readonly string[], what: string, where: string): string[] {
  const wanted = words.map((word) => word.trim().toLowerCase());
  const unknown = wanted.find((word) => !known.includes(word));
  if (unknown === undefined) return wanted;
  throw new AtlasError("ATLAS_USAGE", `there is no ${what} ${JSON.stringify(unknown)}`, {
    where,
    hint: `Use ${known.join(", ")}.`,
  });
}

/**
 * Statuses of sessions, as flags name them in any case.
 *
 * @param where the flag
 * @throws AtlasError ATLAS_USAGE
 */
export const sessionStatusesOf = (words: readonly string[], where: string): string[] =>
  oneOf(words, SESSION_STATUSES, "status", where);

/**
 * Review statuses, as flags and variables name them in any case.
 *
 * @param where the flag or variable
 * @throws AtlasError ATLAS_USAGE
 */
export const reviewStatusesNamed = (words: readonly string[], where: string): ReviewStatus[] =>
  oneOf(words, REVIEW_STATUSES, "review status", where) as ReviewStatus[];
