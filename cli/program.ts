import { Command, CommanderError, Option } from "commander";
import { isTransient } from "../database/transient.ts";
import { AtlasError, explain, isAtlasError, messageOf } from "../errors/atlas-error.ts";
import { readDotEnv } from "./dot-env.ts";
import { COMMANDER_OUTPUT, tell } from "./output.ts";

/** Exit codes of every command. */
export const EXIT = { ok: 0, failure: 1, usage: 2, partial: 3, interrupted: 130 } as const;

/** Options that every command takes. */
export interface CommonOptions {
  config?: string;
  databaseUrl?: string;
  json?: boolean;
  quiet?: boolean;
  yes?: boolean;
}

/** A failure that a command has told already, and that only decides its exit code. */
export class ToldError extends Error {
  constructor(cause: unknown) {
    super("the failure was told", { cause });
  }
}

/** A program that throws where it would exit, so that output is flushed and what is open is closed. */
export function newProgram(name: string, description: string, version: string): Command {
  return new Command(name)
    .description(description)
    .version(version)
    .exitOverride()
    .configureOutput(COMMANDER_OUTPUT)
    .showHelpAfterError("(see --help)")
    .configureHelp({ showGlobalOptions: false });
}

/** Adds the common options to a command. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--config <file>", "YAML configuration; the environment and .atlas/ are used without one")
    .option("--database-url <url>", "Postgres database to use instead of the configured one")
    .option("--json", "print JSON")
    .option("--quiet", "print results only")
    .addOption(new Option("--yes", "do not ask"));
}

/** An action that is loaded when it runs: help costs what help needs. */
export const lazily =
  <Args extends readonly unknown[]>(load: () => Promise<(...args: Args) => unknown>) =>
  async (...args: Args): Promise<void> => {
    const action = await load();
    await action(...args);
  };

/** How long a command may take to end after it was interrupted. */
const ENDING_MS = 20_000;

/** Ends the process although something hangs. */
function giveUp(): void {
  tell(
    `The command did not end within ${ENDING_MS / 1000} s, so it was ended. What the log has confirmed is kept; events that it did not take wait in the spool.`,
  );
  process.exit(EXIT.interrupted);
}

let interrupted: AbortSignal | undefined;

/**
 * The process's signal that is aborted by Ctrl-C; a second Ctrl-C ends the process at once, and so does a while without
 * an end.
 */
export function interruptSignal(): AbortSignal {
  interrupted ??= listenForInterrupts();
  return interrupted;
}

function listenForInterrupts(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    setTimeout(giveUp, ENDING_MS).unref();
    controller.abort(new AtlasError("ATLAS_INTERRUPTED", "interrupted"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return controller.signal;
}

const USAGE_ERRORS = [
  "ATLAS_USAGE",
  "ATLAS_CONFIG_INVALID",
  "ATLAS_CONFIG_NOT_FOUND",
  "ATLAS_FILTER_INVALID",
  "ATLAS_LEARNING_KEY_INVALID",
  "ATLAS_REBUILD_INVALID",
  "ATLAS_CORE_NOT_FOUND",
] as const;

function exitCodeOf(error: unknown): number {
  if (isAtlasError(error, "ATLAS_INTERRUPTED")) return EXIT.interrupted;
  return USAGE_ERRORS.some((code) => isAtlasError(error, code)) ? EXIT.usage : EXIT.failure;
}

const unreachable = (error: unknown): AtlasError =>
  new AtlasError("ATLAS_DATABASE_UNREACHABLE", `the database went away: ${messageOf(error)}`, {
    hint: "Run the command again; what it had confirmed is kept.",
    retryable: true,
    cause: error,
  });

/** Warnings of the process are told like everything else, where they are told at all. */
function tellWarnings(): void {
  if (process.listenerCount("warning") === 0) return;
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message, ...rest }) => {
    const code = "code" in rest ? ` [${String(rest.code)}]` : "";
    tell(`(node:${process.pid})${code} ${name}: ${message}`);
  });
}

/** Runs a program: every failure becomes one line on standard error and an exit code. */
export async function runProgram(program: Command, args: readonly string[]): Promise<void> {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    throw error;
  });
  process.on("uncaughtException", (error) => {
    tell(explain(error));
    process.exit(EXIT.failure);
  });
  tellWarnings();
  try {
    for (const warning of readDotEnv()) tell(`warning: ${warning}`);
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      const asked = error.exitCode === 0 || error.code === "commander.help";
      process.exitCode = asked ? EXIT.ok : EXIT.usage;
      return;
    }
    const isTold = error instanceof ToldError;
    const failure = isTold ? error.cause : error;
    if (!isTold)
      tell(explain(isAtlasError(failure) || !isTransient(failure) ? failure : unreachable(failure)));
    if (process.env.ATLAS_DEBUG !== undefined && failure instanceof Error) tell(failure.stack ?? "");
    process.exitCode = exitCodeOf(failure);
  }
}
