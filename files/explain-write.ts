import { AtlasError, messageOf } from "../errors/atlas-error.ts";

const FULL = ["ENOSPC", "EDQUOT"];

const REFUSED = [
  ...["EACCES", "EPERM", "EROFS", "EBUSY", "ETXTBSY"],
  ...["ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ELOOP", "ENAMETOOLONG"],
  ...["EFBIG", "EIO", "EINVAL", "ENXIO", "ENODEV", "EPIPE"],
];

/** The error of a write in the terms of this package; what is no error of a file stays what it is. */
export function explainWrite(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const details = { where: path, cause: error };
  if (code !== undefined && FULL.includes(code)) {
    const hint = "Free some space and run it again; what was there before is unchanged.";
    return new AtlasError("ATLAS_DISK_FULL", "no space is left for the output", {
      ...details,
      hint,
      retryable: true,
    });
  }
  if (code !== undefined && REFUSED.includes(code)) {
    const hint = "Name a file in a folder that you may write to.";
    return new AtlasError("ATLAS_FILE_UNWRITABLE", `the output cannot be written: ${messageOf(error)}`, {
      ...details,
      hint,
    });
  }
  return error;
}
