import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The names of the package's programs. */
export type Program = "atlas" | "arc-atlas";

/** What a command ended with, and what it wrote. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What every command of these users finds in its environment. */
export const ADA = { ATLAS_REVIEWER: "ada", ATLAS_OFFLINE_MODE: "1" };

/** A folder in which a user works, with a home of its own and no keys in the environment. */
export abstract class UserFolder {
  readonly folder = mkdtempSync(join(tmpdir(), "atlas-user-"));

  /** Runs a command to its end. */
  abstract run(program: Program, ...args: string[]): Promise<Ended>;

  atlas(...args: string[]): Promise<Ended> {
    return this.run("atlas", ...args);
  }

  /** Runs a command that has to succeed, and parses what it printed. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.atlas(...args, "--json");
    if (code !== 0) throw new Error(`atlas ${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.file(name), text);
    return this.file(name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), "utf8");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
