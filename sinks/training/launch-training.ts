import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import type { EventLog } from "../../log/event-log.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { JsonText, Uuid } from "../../schemas/generated/events.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { type CoreCheckout, pythonOf } from "./core-checkout.ts";
import { shellLine, withoutSecrets } from "./hydra-override.ts";
import type { TrainingCommand } from "./training-command.ts";

/** What is trained on. */
export interface TrainingData {
  /** SHA-256 of the file. */
  digest: string;
  /** What is known of where it came from, as JSON. */
  manifest?: JsonText | undefined;
}

/** How a training process ended. */
export interface TrainingOutcome {
  /** The process's exit code; 128 and the signal's number where one ended it. */
  exitCode: number;
  /** Folder of the checkpoints; undefined where the process left none. */
  checkpoint: string | undefined;
}

/** What to start, and where to note it. */
export interface TrainingLaunch {
  core: CoreCheckout;
  command: TrainingCommand;
  data: TrainingData;
  log: Pick<EventLog, "append" | "mask">;
  /** The Python to start; the checkout's own unless told. */
  python?: string | undefined;
}

/** The command as a person would type it, without what is secret. */
export const shownCommand = ({ core, command, python }: Omit<TrainingLaunch, "log" | "data">): string =>
  [
    `cd ${shellLine([core.path])} &&`,
    ...Object.entries(core.env).map(([name, value]) => `${name}=${shellLine([value])}`),
    shellLine([python ?? pythonOf(core), ...withoutSecrets(command.args)]),
  ].join(" ");

const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGTERM: 15,
};

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Runs a process with our terminal; signals reach it, and we outlive it to note how it ended. */
function runToEnd(python: string, { core, command }: TrainingLaunch): Promise<Ended> {
  const child = spawn(python, command.args, {
    cwd: core.path,
    env: { ...process.env, ...core.env },
    stdio: "inherit",
  });
  // A terminal sends Ctrl-C to the child as well; a second time would be one too many.
  const interrupted = (): void => void (process.stdin.isTTY !== true && child.kill("SIGINT"));
  const terminated = (): void => void child.kill("SIGTERM");
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", terminated);
  return new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  }).finally(() => {
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", terminated);
  });
}

/**
 * Trains on a dataset: notes in the log what is started on which data, starts it, and notes how it ended, so that a
 * model can be traced back to its sessions. The process writes to our standard output and error.
 *
 * @throws AtlasError ATLAS_TRAINING_FAILED when it cannot be started; what keeps the log from taking the note, before
 *   anything is started
 * @example
 * const core = coreCheckout();
 * const command = trainingCommand(core, file.path);
 * await launchTraining({ core, command, data: { digest: file.sha256 }, log: atlas.log });
 */
export async function launchTraining(launch: TrainingLaunch): Promise<TrainingOutcome> {
  const { core, command, data, log } = launch;
  const python = launch.python ?? pythonOf(core);
  const source = `training/${newId()}`;
  const meta = (sequence: number, causation_id: Uuid | null = null) => ({
    event_id: newId(),
    source,
    sequence,
    occurred_at: nowMicros(),
    causation_id,
    time_assumed: false,
  });
  const launched = createEvent("TrainingLaunched", meta(1), {
    dataset_digest: data.digest,
    command: shownCommand({ ...launch, python }),
    manifest: data.manifest ?? null,
    checkpoint: command.checkpoint,
  });
  await log.append([log.mask(launched)]);
  const began = performance.now();
  let failure: unknown;
  const { code, signal }: Ended = await runToEnd(python, launch).catch((error: unknown) => {
    failure = error;
    return { code: null, signal: null };
  });
  const checkpoint = existsSync(command.checkpoint) ? command.checkpoint : undefined;
  const ended = createEvent("TrainingEnded", meta(2, launched.meta.event_id), {
    exit_code: code,
    signal,
    checkpoint: checkpoint ?? null,
    duration_us: Math.round((performance.now() - began) * 1000),
  });
  await log.append([log.mask(ended)]);
  if (failure !== undefined) {
    throw new AtlasError("ATLAS_TRAINING_FAILED", `it could not be started: ${messageOf(failure)}`, {
      where: python,
      hint: `Make a virtual environment in ${core.path}/.venv as Atlas Core says, or name a Python with --python.`,
      cause: failure,
    });
  }
  return { exitCode: code ?? 128 + (SIGNAL_NUMBERS[signal!] ?? 0), checkpoint };
}
