import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { Holder } from "./folder-lock.ts";

const FULL = /ENOSPC|EDQUOT|no space left|disk is full/i;

/** In the words of Node, and in those of Postgres. */
const FAILED = /\bEIO\b|I\/O error|could not fsync/i;

/** Codes of Node's file functions and of its SQLite. */
const FILE_CODE = /^E[A-Z]+$|^ERR_SQLITE/;

/** The disk is full or failed, as people can use it; undefined where it was something else. */
function diskError(folder: string, error: unknown): AtlasError | undefined {
  const words = `${(error as { code?: unknown }).code} ${messageOf(error)}`;
  const details = { where: folder, cause: error, retryable: true };
  if (FULL.test(words)) {
    const hint = "Free some space and try again; nothing that was confirmed is lost.";
    return new AtlasError("ATLAS_DISK_FULL", "no space is left for the embedded log", { ...details, hint });
  }
  if (!FAILED.test(words)) return undefined;
  const hint = "Check the disk and try again; nothing that was confirmed before is lost.";
  const message = `the disk does not take what the embedded log writes: ${messageOf(error)}`;
  return new AtlasError("ATLAS_DISK_FAILED", message, { ...details, hint });
}

/** What made Postgres stop, where that was the disk: it cannot go on after a sync that failed. */
export function brokenError(folder: string, error: unknown): AtlasError | undefined {
  const { severity } = Object(error) as { severity?: unknown };
  const panicked = severity === "PANIC" || /^PANIC: /.test(messageOf(error));
  return panicked ? diskError(folder, error) : undefined;
}

/** Of a database that would not survive a power cut, and was not told that it need not. */
export const notDurable = (where?: string): AtlasError =>
  new AtlasError("ATLAS_LOG_NOT_DURABLE", "PGlite does not write to the disk what it is told to", {
    ...(where !== undefined && { where }),
    hint: "Install the version of @electric-sql/pglite that this package names, or set log.durable to false.",
  });

/** What went wrong with the folder of an embedded log, or with the database in it, as people can use it. */
export function folderError(folder: string, error: unknown): AtlasError {
  if (isAtlasError(error)) return error;
  const disk = diskError(folder, error);
  if (disk !== undefined) return disk;
  const { code } = error as { code?: unknown };
  if (code === "ATLAS_LOG_NOT_DURABLE") return notDurable(folder);
  const details = { where: folder, cause: error };
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
