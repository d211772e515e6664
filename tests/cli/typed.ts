import { existsSync } from "node:fs";
import { join } from "node:path";
import { main as arcAtlas } from "../../cli/arc-atlas-program.ts";
import { main as atlas } from "../../cli/atlas-program.ts";
import type { Ended, Program } from "./user-folder.ts";

/** What a command takes from the environment of this process; a user's keys are not among it. */
const KEPT = ["PATH", "TMPDIR", "NODE_COMPILE_CACHE"];

/** Makes the environment what it is told, until what it returns is called. */
function withEnvironment(variables: Record<string, string>): () => void {
  const before = { ...process.env };
  const become = (env: NodeJS.ProcessEnv): void => {
    for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
    Object.assign(process.env, env);
  };
  const kept = KEPT.flatMap((name) => (before[name] === undefined ? [] : [[name, before[name]]]));
  become({ ...Object.fromEntries(kept), ...variables });
  return () => become(before);
}

/** Takes what the process writes, until what it returns is called. */
function withOutput(written: Pick<Ended, "stdout" | "stderr">): () => void {
  const undo = (["stdout", "stderr"] as const).map((name) => {
    const stream = process[name];
    const { write } = stream;
    stream.write = (text: string | Uint8Array): boolean => {
      written[name] += typeof text === "string" ? text : Buffer.from(text).toString();
      return true;
    };
    return () => {
      stream.write = write;
    };
  });
  return () => undo.forEach((each) => void each());
}

/** Leaves nobody who listens to the process, once what it returns is called. */
function withListeners(): () => void {
  const undo = [
    { emitter: process, events: ["uncaughtException", "warning", "SIGINT", "SIGTERM"] },
    { emitter: process.stdout, events: ["error"] },
  ].flatMap(({ emitter, events }) =>
    events.map((event) => {
      const before = emitter.rawListeners(event) as (() => void)[];
      return () => {
        emitter.removeAllListeners(event);
        for (const listener of before) emitter.on(event, listener);
      };
    }),
  );
  return () => undo.forEach((each) => void each());
}

async function run(program: Program, typed: Typed): Promise<Ended> {
  const { folder, args, env = {} } = typed;
  if (existsSync(join(folder, ".env")))
    throw new Error("what a process has read from .env it keeps: start one of its own");
  const written = { stdout: "", stderr: "" };
  const [cwd, exitCode] = [process.cwd(), process.exitCode];
  const undo = [withEnvironment({ HOME: folder, ...env }), withOutput(written), withListeners()];
  process.chdir(folder);
  process.exitCode = undefined;
  try {
    await (program === "atlas" ? atlas : arcAtlas)(args);
    return { code: Number(process.exitCode ?? 0), ...written };
  } finally {
    process.exitCode = exitCode;
    process.chdir(cwd);
    for (const each of undo) each();
  }
}

/** A command and where it was typed. */
export interface Typed {
  folder: string;
  args: readonly string[];
  /** What is set beside the path. */
  env?: Record<string, string>;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a program to its end in this process, with nothing of its environment but the path: to start a process for each
 * command would cost more than the command. So commands wait for each other. What is about the process itself (signals,
 * terminals, `.env`, what children write) has to be tested with one of its own.
 */
export function type(program: Program, typed: Typed): Promise<Ended> {
  const ended = last.then(() => run(program, typed));
  last = ended.catch(() => undefined);
  return ended;
}
