import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";

/** Gives a new file or folder the owner and the mode of the one that it replaces. */
export async function inherit(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await file.stat();
  const isSame = own.uid === uid && own.gid === gid;
  const isKept =
    isSame ||
    (await file.chown(uid, gid).then(
      () => true,
      () => false,
    ));
  // Another group than that of the old one gains nothing.
  await file.chmod(isKept ? mode & 0o777 : mode & 0o707);
}
