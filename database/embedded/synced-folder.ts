import { fsyncSync } from "node:fs";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { notDurable } from "./folder-errors.ts";

/** What Emscripten calls an I/O error. */
const EIO = 29;

/** What this file uses of Emscripten's file system over Node's; PGlite promises none of it. */
interface NodeFiles {
  stream_ops: { fsync?(stream: { nfd: number }): number };
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
    if (files?.stream_ops === undefined) throw notDurable();
    files.stream_ops.fsync = ({ nfd }) => {
      try {
        fsyncSync(nfd);
      } catch (error) {
        // Postgres stops then: of what a failed sync left behind nobody knows where it is.
        return files.convertNodeCode?.(error) ?? EIO;
      }
      this.syncs += 1;
      return 0;
    };
  }
}
