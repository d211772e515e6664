import { isTransient } from "../../database/transient.ts";
import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";

const FULL = /\b53100\b|ENOSPC|EDQUOT|no space left|disk full/i;
/** The text of a key has a character that Postgres does not store. */
const NO_TEXT = /^22P05$|^22021$/;

/** Why records of a log could not be put into a copy of it, as people can use it; anything unknown stays as it is. */
export function placeError(error: unknown, where: string): unknown {
  if (isAtlasError(error)) return error;
  const { code } = error as { code?: unknown };
  const reason = messageOf(error);
  const details = { where, cause: error };
  if (FULL.test(`${code} ${reason}`)) {
    return new AtlasError("ATLAS_DISK_FULL", "no space is left for the copy", {
      ...details,
      hint: "Free some space and copy again: it goes on from where it stopped.",
      retryable: true,
    });
  }
  if (isTransient(error)) {
    return new AtlasError("ATLAS_LOG_UNREACHABLE", `writing to the copy failed: ${reason}`, {
      ...details,
      hint: "See that its database runs, and copy again: it goes on from where it stopped.",
      retryable: true,
    });
  }
  if (typeof code === "string" && NO_TEXT.test(code)) {
    return new AtlasError("ATLAS_COPY_REFUSED", `Postgres cannot store the key of a record: ${reason}`, {
      ...details,
      hint: "Somebody else wrote it to the log; copy the log to Kafka.",
    });
  }
  return error;
}
