import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { Holder } from "./folder-lock.ts";

const FULL = /ENOSPC|EDQUOT|no space left|disk is full/i;

/** Codes of Node's file functions and of its SQLite. */
const FILE_CODE = /^E[A-Z]+$|^ERR_SQLITE/;

/** What went wrong with the folder of an embedded log, or with the database in it, as people can use it. */
export function folderError(folder: string, error: unknown): AtlasError {
  if (isAtlasError(error)) return error;
  const { code } = error as { code?: unknown };
  const details = { where: folder, cause: error };
  if (FULL.test(`${code} ${messageOf(error)}`)) {
    const hint = "Free some space and try again; nothing that was confirmed is lost.";
    return new AtlasError("ATLAS_DISK_FULL", "no space is left for the embedded log", {
      ...details,
      hint,
      retryable: true,
    });
  }
  if (typeof code === "string" && FILE_CODE.test(code)) {
    const hint = "Name a folder that you may write to.";
    const message = `the embedded log's folder cannot be used: ${messageOf(error)}`;
    return new AtlasError("ATLAS_FILE_UNWRITABLE", message, { ...details, hint });
  }
  const hint = "Move the folder's pgdata away to start with an empty log, or use another folder.";
  const message = `the embedded database does not start: ${messageOf(error)}`;
  return new AtlasError("ATLAS_DATABASE_UNREACHABLE", message, { ...details, hint });
}

/** Somebody else holds the folder, and cannot or shall not be worked through. */
export function heldError(folder: string, holder: Holder | undefined, why: string): AtlasError {
  const who =
    holder === undefined
      ? "another process"
      : `process ${holder.pid} (${holder.command}, since ${holder.since})`;
  const end = holder === undefined ? "end it" : `end it (kill ${holder.pid})`;
  return new AtlasError("ATLAS_LOG_HELD", `${who} holds the embedded log${why}`, {
    where: folder,
    hint: `Wait for it or ${end}, or use another folder or a Postgres server.`,
    retryable: true,
  });
}
