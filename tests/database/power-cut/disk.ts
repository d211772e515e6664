import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Random } from "../../soak/random.ts";
import type { Op } from "./recording.ts";

/*
 * What a disk holds after a power cut: all that was synced, and of the rest as much as it likes. Directory entries are modelled
 * simply: files have one name, and a rename within the folder happens whole or not at all.
 */

/** Which names are there after the cut. */
export type Names =
  /** Those of the last sync of anything, as with a journal that commits in order. */
  | "journal"
  /** Those whose folder was synced; a sync of the file itself gives it no name. */
  | "synced"
  /** All: they got to the disk before the data did. */
  | "all";

/** What becomes of data that was not synced: nothing of it is there, or sectors of it by chance. */
export type Data = "dropped" | "torn";

const SECTOR = 512;

type Change = { at: number; bytes: Uint8Array } | { size: number };

/** Bytes that grow as they are written. */
class Content {
  #bytes: Uint8Array;
  #size: number;
  constructor(bytes: Uint8Array = new Uint8Array()) {
    this.#bytes = bytes;
    this.#size = bytes.length;
  }
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }
  apply(change: Change): void {
    const size = "size" in change ? change.size : Math.max(this.#size, change.at + change.bytes.length);
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
    if ("bytes" in change) this.#bytes.set(change.bytes, change.at);
  }
  copy(): Content {
    return new Content(this.bytes.slice());
  }
}

class File {
  readonly durable: Content;
  pending: Change[] = [];
  constructor(durable = new Content()) {
    this.durable = durable;
  }
  sync(): void {
    for (const change of this.pending) this.durable.apply(change);
    this.pending = [];
  }
  /** A journal commits sizes with the names, not what was written. */
  commit(): void {
    const kept = this.pending.filter((change) => "bytes" in change);
    if (kept.length === this.pending.length) return;
    for (const change of this.pending) if ("size" in change) this.durable.apply(change);
    this.pending = kept;
  }
  after(data: Data, random: Random): Uint8Array {
    if (data === "dropped" || this.pending.length === 0) return this.durable.bytes;
    const content = this.durable.copy();
    for (const change of this.pending) {
      if ("size" in change) {
        if (random.below(2) === 0) content.apply(change);
        continue;
      }
      for (let from = 0; from < change.bytes.length; from += SECTOR)
        if (random.below(2) === 0)
          content.apply({ at: change.at + from, bytes: change.bytes.subarray(from, from + SECTOR) });
    }
    return content.bytes;
  }
}

class Folder {
  now = new Map<string, File | Folder>();
  synced = new Map<string, File | Folder>();
  journal = new Map<string, File | Folder>();
}

/** A disk to which recorded operations happen one after the other. */
export class Disk {
  readonly #root = new Folder();
  #changed = new Set<Folder>();

  /** A disk on which everything in a folder was synced. */
  static of(folder: string): Disk {
    const disk = new Disk();
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
      if (!/^pgdata(\/|$)/.test(path)) continue;
      const at = join(folder, path);
      const node = statSync(at).isDirectory() ? new Folder() : new File(new Content(readFileSync(at)));
      disk.#put(`/${path}`, node);
      const [parent, name] = disk.#parent(`/${path}`);
      parent.synced.set(name, node);
    }
    disk.#commit();
    return disk;
  }

  #find(path: string): File | Folder | undefined {
    let node: File | Folder | undefined = this.#root;
    for (const name of path.split("/").filter((part) => part !== ""))
      node = node instanceof Folder ? node.now.get(name) : undefined;
    return node;
  }

  #parent(path: string): [Folder, string] {
    const at = path.lastIndexOf("/");
    const folder = this.#find(path.slice(0, at));
    if (!(folder instanceof Folder)) throw new Error(`no folder for ${path}`);
    return [folder, path.slice(at + 1)];
  }

  #put(path: string, node: File | Folder | undefined): void {
    const [folder, name] = this.#parent(path);
    if (node === undefined) folder.now.delete(name);
    else folder.now.set(name, node);
    this.#changed.add(folder);
  }

  #commit(): void {
    for (const folder of this.#changed) folder.journal = new Map(folder.now);
    this.#changed = new Set();
    const commit = (folder: Folder): void => {
      for (const node of folder.now.values()) node instanceof File ? node.commit() : commit(node);
    };
    commit(this.#root);
  }

  #sync(path: string): void {
    const node = this.#find(path);
    if (node instanceof Folder) node.synced = new Map(node.now);
    if (node instanceof File) node.sync();
    this.#commit();
  }

  apply(op: Op): void {
    switch (op.kind) {
      case "answer":
        break;
      case "sync":
        this.#sync(op.path);
        break;
      case "mkdir":
        this.#put(op.path, new Folder());
        break;
      case "unlink":
      case "remove":
        this.#put(op.path, undefined);
        break;
      case "rename": {
        const node = this.#find(op.path);
        this.#put(op.path, undefined);
        this.#put(op.to, node);
        break;
      }
      case "create":
        if (this.#find(op.path) === undefined) this.#put(op.path, new File());
        else this.#change(op.path, { size: 0 });
        break;
      case "write":
        this.#change(op.path, { at: op.at, bytes: op.bytes });
        break;
      case "truncate":
        this.#change(op.path, { size: op.size });
    }
  }

  #change(path: string, change: Change): void {
    const file = this.#find(path);
    if (!(file instanceof File)) throw new Error(`${path} is no file`);
    file.pending.push(change);
  }

  /** Makes a folder as one finds it after a power cut. */
  cut(target: string, { names, data, random }: { names: Names; data: Data; random: Random }): void {
    const write = (folder: Folder, path: string): void => {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      const entries = names === "all" ? folder.now : folder[names];
      for (const [name, node] of entries) {
        const at = join(path, name);
        if (node instanceof Folder) write(node, at);
        else writeFileSync(at, node.after(data, random), { mode: 0o600 });
      }
    };
    mkdirSync(dirname(target), { recursive: true });
    write(this.#root, target);
  }
}
