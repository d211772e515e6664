import { onTestFinished } from "vitest";
import type { Database } from "../../database/database.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { type } from "./typed.ts";
import { ADA, type Ended, type Program, UserFolder } from "./user-folder.ts";

/** A user's folder whose commands run in this process. */
export class Here extends UserFolder {
  #database: Database | undefined;

  run(program: Program, ...args: string[]): Promise<Ended> {
    return type(program, { folder: this.folder, args, env: ADA });
  }

  /** Serves the embedded log, as another terminal would: it is started once, and not by every command. */
  async serve(): Promise<this> {
    this.#database ??= await openEmbedded(this.file(".atlas"));
    return this;
  }

  async close(): Promise<void> {
    await this.#database?.close();
    this.remove();
  }
}

/** For one test, a folder in which every command opens the log itself. */
export function here(): Here {
  const user = new Here();
  onTestFinished(() => user.close());
  return user;
}

/** For one test, a folder whose log is open already. */
export const hereServed = (): Promise<Here> => here().serve();
