import { fsyncSync } from "node:fs";
import { dirname } from "node:path";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { syncFolderNow } from "../../files/folders.ts";
import { notDurable } from "./folder-errors.ts";

/** What Emscripten calls an I/O error. */
const EIO = 29;

/** What this file uses of Emscripten's file system over Node's; PGlite promises none of it. */
interface NodeFiles {
  node_ops: { mknod(...args: unknown[]): object };
  stream_ops: { fsync?(stream: { nfd: number; node: object }): number };
  realPath(node: object): string;
  convertNodeCode(error: unknown): number | undefined;
}

/**
 * A data folder that PGlite syncs where Postgres says so: files, and folders too, which have descriptors as well. Left to
 * itself PGlite takes every sync for done.
 */
export class SyncedFolder extends NodeFS {
  /** How many syncs reached the disk. */
  syncs = 0;

  override async init(...[pg, options]: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(pg, options);
    // Before Postgres starts: what it recovers has to be on the disk as well.
    const preRun = [
      ...(emscriptenOpts.preRun ?? []),
      (module: { NODEFS: unknown }) => this.sync(module.NODEFS),
    ];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } };
  }

  private sync(found: unknown): void {
    const files = found as Partial<NodeFiles> | undefined;
    const { node_ops, stream_ops, realPath, convertNodeCode } = files ?? {};
    if (!node_ops || !stream_ops || !realPath || !convertNodeCode) throw notDurable();
    // Postgres leaves the name of a new table's file to the file system.
    const unnamed = new WeakSet<object>();
    const { mknod } = node_ops;
    node_ops.mknod = (...args) => {
      const node = mknod(...args);
      unnamed.add(node);
      return node;
    };
    stream_ops.fsync = ({ nfd, node }) => {
      try {
        fsyncSync(nfd);
        if (unnamed.has(node)) syncFolderNow(dirname(realPath(node)));
        unnamed.delete(node);
      } catch (error) {
        // Postgres stops then: of what a failed sync left behind nobody knows where it is.
        return convertNodeCode(error) ?? EIO;
      }
      this.syncs += 1;
      return 0;
    };
  }
}
