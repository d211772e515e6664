import { detectModel } from "../../app/detect-model.ts";
import type { Atlas } from "../../app/open-atlas.ts";
import type { RunOptions } from "../../app/run-options.ts";
import { explain } from "../../errors/atlas-error.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import type { RunResult } from "../../producers/run-session.ts";
import { verdictCache } from "../../producers/verdict-cache.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { recordOf, writeRunRecord } from "../../sinks/run-record.ts";
import { harmless, oneLine, print, style, table, tell } from "../output.ts";
import { EXIT, interruptSignal } from "../program.ts";
import { enterProject, probeOf, type RunFlags, rolloutsOf, runOptionsOf } from "../run-flags.ts";
import { labelled, statusText, timeOf, watch } from "../run-view.ts";
import { withAtlas } from "../session.ts";

const RUNS_FOLDER = ".atlas/runs";

/** Who works where no configuration says so: the model that the environment offers. */
async function detectedWorkers(quiet: boolean): Promise<Partial<RunOptions>> {
  const { client, why } = await detectModel();
  if (!quiet) tell(labelled("models", client.simulated ? style("yellow", why) : why));
  return { agent: modelAgent(client), teacher: client, judge: client };
}

/** One finished run, with the events that it was. */
interface Run {
  result: RunResult;
  events: AtlasEvent[];
  recordPath: string | undefined;
}

async function runOnce(atlas: Atlas, options: RunFlags, run: RunOptions): Promise<Run> {
  const events: AtlasEvent[] = [];
  const show = watch(options.json === true || options.quiet === true || process.stderr.isTTY !== true);
  const result = await atlas.run({
    ...run,
    onEvent: (event) => {
      events.push(event);
      if (options.json === true) print(JSON.stringify(event));
      show(event);
    },
  });
  const record = recordOf(events);
  let recordPath: string | undefined;
  try {
    if (record !== undefined) recordPath = await writeRunRecord(RUNS_FOLDER, record);
  } catch (error) {
    // The session is in the log; a record is a convenience.
    tell(`No record was written. ${explain(error)}`);
  }
  return { result, events, recordPath };
}

/** Waits until a run is in the log, and says why where it is not. */
async function isDurable({ result }: Run): Promise<boolean> {
  try {
    await result.durable;
    return true;
  } catch (error) {
    tell(explain(error));
    return false;
  }
}

function rewardOf({ reward, judgedLater }: RunResult): string {
  if (reward === undefined) return judgedLater ? "not yet: judged later" : "none: not judged";
  const { score, uncertainty } = reward;
  return uncertainty === undefined ? score.toFixed(2) : `${score.toFixed(2)} ± ${uncertainty.toFixed(2)}`;
}

const costText = (dollars: number): string =>
  `$${dollars.toLocaleString("en", { maximumSignificantDigits: 4 })}`;

function tokensOf({ tokens }: RunResult): string {
  const roles = Object.entries(tokens.byRole).map(([role, { total }]) => `${role} ${total ?? "unknown"}`);
  return `${tokens.total ?? "unknown"} in ${tokens.calls} calls${roles.length > 1 ? ` (${roles.join(", ")})` : ""}`;
}

function summary({ result, recordPath }: Run): string[] {
  const { status, sessionId, durationMs, simulated, error, cost } = result;
  const models = simulated ? style("yellow", ", with simulated models") : "";
  return [
    "",
    labelled("session", `${statusText(status)} in ${timeOf(durationMs)}${models}`),
    ...(error === undefined ? [] : [labelled("error", oneLine(explain(error), 400))]),
    labelled("reward", rewardOf(result)),
    labelled("tokens", tokensOf(result)),
    ...(cost === undefined ? [] : [labelled("cost", costText(cost))]),
    ...(recordPath === undefined ? [] : [labelled("record", recordPath)]),
    labelled("next", `atlas sessions show ${sessionId}`),
  ];
}

/** The answer goes to standard output, all else to standard error, so that a pipe gets the answer alone. */
function showRun(run: Run, quiet: boolean): void {
  if (!quiet) for (const line of [...summary(run), ""]) tell(line);
  else if (run.result.error !== undefined) tell(explain(run.result.error));
  const answer = run.events.find((event) => event.type === "SessionEnded")?.final_answer;
  if (answer) print(harmless(answer));
}

/** The rollouts of a group as a table: each with its outcome, and its answer where to look. */
function showGroup(runs: readonly Run[]): void {
  for (const line of table(runs, [
    { title: "Rollout", value: (one) => String(runs.indexOf(one) + 1), align: "right" },
    { title: "Status", value: ({ result }) => result.status },
    { title: "Reward", value: ({ result }) => result.reward?.score.toFixed(2) ?? "–", align: "right" },
    { title: "Tokens", value: ({ result }) => String(result.tokens.total ?? "–"), align: "right" },
    { title: "Time", value: ({ result }) => timeOf(result.durationMs), align: "right" },
    { title: "Session", value: ({ result }) => result.sessionId },
  ]))
    print(line);
}

function exitCodeOf(runs: readonly Run[], interrupted: boolean): number {
  if (interrupted) return EXIT.interrupted;
  const succeeded = runs.filter(({ result }) => result.status === "succeeded").length;
  return succeeded === runs.length ? EXIT.ok : succeeded === 0 ? EXIT.failure : EXIT.partial;
}

/** `atlas run`. */
export async function run(flags: RunFlags): Promise<void> {
  const asked = runOptionsOf(flags);
  const rollouts = rolloutsOf(flags);
  const options = enterProject(flags);
  const signal = interruptSignal();
  const quiet = options.quiet === true || options.json === true;
  await withAtlas(options, async (atlas) => {
    const { config } = atlas;
    const workers =
      options.config === undefined && config.agent === undefined ? await detectedWorkers(quiet) : {};
    const lane = asked.lane && { ...asked.lane, ...probeOf(options, config, workers.teacher) };
    signal.throwIfAborted();
    const groupId = asked.groupId ?? (rollouts === 1 ? undefined : newId());
    // The same answer to the same task needs no second verdict.
    const verdicts = rollouts === 1 || config.orchestration.verdictCache > 0 ? undefined : verdictCache();
    const runs: Run[] = [];
    let durable = true;
    while (runs.length < rollouts && durable && !signal.aborted) {
      if (rollouts > 1 && !quiet) tell(style("bold", `rollout ${runs.length + 1} of ${rollouts}`));
      const one = await runOnce(atlas, options, {
        ...workers,
        ...asked,
        lane,
        groupId,
        rollout: rollouts === 1 ? undefined : runs.length + 1,
        verdicts,
        signal,
      });
      runs.push(one);
      if (options.json !== true && rollouts === 1) showRun(one, quiet);
      else if (one.result.error !== undefined) tell(explain(one.result.error));
      durable = await isDurable(one);
    }
    if (options.json !== true && rollouts > 1) showGroup(runs);
    // So that the next command sees the session at once; it is in the log either way.
    if (atlas.host !== undefined && durable && !signal.aborted)
      await atlas.settled({ signal }).catch((error: unknown) => tell(explain(error)));
    process.exitCode = durable || signal.aborted ? exitCodeOf(runs, signal.aborted) : EXIT.failure;
  });
}
