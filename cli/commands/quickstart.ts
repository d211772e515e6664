import { rmSync } from "node:fs";
import { detectModel } from "../../app/detect-model.ts";
import type { Atlas } from "../../app/open-atlas.ts";
import { writeAtomically } from "../../files/atomic-file.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import type { RunResult } from "../../producers/run-session.ts";
import {
  QUICKSTART_LEARNING_KEY,
  QUICKSTART_SYSTEM_PROMPT,
  QUICKSTART_TASKS,
} from "../../producers/simulated/quickstart-tasks.ts";
import { ask, canAsk } from "../ask.ts";
import { print, printJson, style, table, tell } from "../output.ts";
import { type CommonOptions, EXIT, interruptSignal } from "../program.ts";
import { ATLAS } from "../program-name.ts";
import { FOLDER } from "../quickstart-folder.ts";
import { labelled, timeOf, watch } from "../run-view.ts";
import { withAtlas } from "../session.ts";

interface Options extends CommonOptions {
  output: string;
}

const OWN_CONFIG = `${FOLDER}/atlas.yaml`;
const OWN_CONFIG_TEXT = `# The log of \`atlas quickstart\`, apart from your own. Name this file with --config to look at it.
log:
  kind: embedded
  path: ${FOLDER}
`;

/** Options of a command that works in the quickstart's own log, unless another one is named. */
async function inOwnFolder(options: Options): Promise<Options> {
  if (options.config !== undefined || options.databaseUrl !== undefined) return options;
  await writeAtomically(OWN_CONFIG, [OWN_CONFIG_TEXT]);
  return { ...options, config: OWN_CONFIG };
}

/** What a command needs to find these sessions again. */
const flagsOf = ({ config }: Options): string => (config === undefined ? "" : ` --config ${config}`);

interface Row {
  title: string;
  result: RunResult;
  approved: boolean;
}

async function runTasks(atlas: Atlas, options: Options, signal: AbortSignal): Promise<Row[]> {
  const { client, why } = await detectModel();
  tell(labelled("models", client.simulated ? style("yellow", why) : why));
  const agent = modelAgent(client, { name: "quickstart", systemPrompt: QUICKSTART_SYSTEM_PROMPT });
  const rows: Row[] = [];
  for (const [index, { title, task, groundTruth }] of QUICKSTART_TASKS.entries()) {
    if (options.quiet !== true)
      tell(`\n${style("bold", `${index + 1}/${QUICKSTART_TASKS.length} ${title}`)}`);
    const result = await atlas.run({
      task,
      agent,
      teacher: client,
      judge: client,
      groundTruth,
      learningKey: QUICKSTART_LEARNING_KEY,
      signal,
      onEvent: watch(options.quiet),
    });
    await result.durable;
    rows.push({ title, result, approved: false });
    signal.throwIfAborted();
  }
  return rows;
}

function showResults(rows: readonly Row[]): void {
  const simulated = rows.some(({ result }) => result.simulated);
  print();
  for (const line of table(rows, [
    { title: "Task", value: (row) => row.title },
    {
      title: "Status",
      value: ({ result }) => result.status,
      look: ({ result }) => (result.status === "succeeded" ? "green" : "red"),
    },
    { title: "Reward", value: ({ result }) => result.reward?.score.toFixed(2) ?? "–", align: "right" },
    {
      title: "Tokens",
      value: ({ result }) => result.tokens.total?.toLocaleString("en") ?? "–",
      align: "right",
    },
    { title: "Time", value: ({ result }) => timeOf(result.durationMs), align: "right" },
    { title: "Session", value: ({ result }) => result.sessionId },
  ]))
    print(line);
  if (simulated)
    print(
      style(
        "yellow",
        "These models are simulated: answers, tokens and rewards are made up, everything else is real.",
      ),
    );
}

/** Which sessions may leave: what a person says, and only the passing ones where nobody can be asked. */
async function reviewGate(rows: readonly Row[], options: Options): Promise<Row[]> {
  const { yes, json } = options;
  const say = json === true ? tell : print;
  const passing = rows.filter(({ result }) => result.status === "succeeded");
  if (passing.length === 0) {
    say("\nReview: no session succeeded, so none is approved.");
    return [];
  }
  if (yes !== true && canAsk()) {
    const kept = rows.length - passing.length;
    const out = kept > 0 ? ` and keep ${kept} out` : "";
    const answer = await ask(`\nReview: approve the ${passing.length} sessions that succeeded${out}? [Y/n] `);
    if (!/^n/i.test(answer)) return passing;
    say(`Nothing was approved: \`${ATLAS} review list${flagsOf(options)}\` shows what waits.`);
    return [];
  }
  const why = yes === true ? "--yes" : "no terminal to ask on";
  const out = rows.length - passing.length;
  say(
    `\nReview: approved the ${passing.length} sessions that succeeded (${why}); ${out} ${out === 1 ? "stays" : "stay"} out of the dataset.`,
  );
  return passing;
}

async function approve(atlas: Atlas, rows: readonly Row[]): Promise<void> {
  await atlas.reviews.approve(
    rows.map(({ result }) => result.sessionId),
    { note: "quickstart" },
  );
  for (const row of rows) row.approved = true;
}

/** Exports what was approved just now, rebuilds everything from the events, and exports again. */
async function exportAndProve(atlas: Atlas, approved: readonly Row[], output: string) {
  const sessionIds = approved.map(({ result }) => result.sessionId);
  const filters = { sessionIds, simulated: "all" } as const;
  const { file, manifest, manifestPath } = await atlas.datasets.export({ output, filters });
  const { events } = await atlas.rebuild();
  const again = `${output}.rebuilt`;
  const proof = await atlas.datasets.export({ output: again, filters });
  for (const path of [again, `${again}.manifest.json`]) rmSync(path, { force: true });
  return { file, manifest, manifestPath, events, identical: proof.file.sha256 === file.sha256 };
}

const plain = (rows: readonly Row[]): unknown[] =>
  rows.map(({ title, result: { durable: _, ...result }, approved }) => ({ title, ...result, approved }));

/** Commands that work as they stand here: on what was just seen, then on one's own. */
function nextSteps(options: Options, sessionId: string): string {
  const flags = flagsOf(options);
  const same = options.databaseUrl === undefined ? "" : " (with the same --database-url)";
  return `
Next, with these sessions${same}:
  ${ATLAS} sessions show ${sessionId.slice(0, 13)}${flags}
  ${ATLAS} review list${flags}
Then with your own:
  ${ATLAS} import runs.jsonl
  ${ATLAS} --help`;
}

/** `atlas quickstart`. */
export async function quickstart(given: Options): Promise<void> {
  const signal = interruptSignal();
  const options = await inOwnFolder(given);
  await withAtlas(options, async (atlas) => {
    const rows = await runTasks(atlas, options, signal);
    await atlas.settled({ signal });
    if (options.json !== true) showResults(rows);
    const approved = await reviewGate(rows, options);
    if (approved.length === 0) {
      if (options.json === true) printJson({ sessions: plain(rows) });
      return;
    }
    await approve(atlas, approved);
    const { file, manifest, manifestPath, events, identical } = await exportAndProve(
      atlas,
      approved,
      options.output,
    );
    if (options.json === true) {
      printJson({ sessions: plain(rows), file, manifestPath, identical });
    } else {
      print(`Dataset: ${file.path} (${manifest.sessions} sessions, sha256 ${file.sha256.slice(0, 12)}…)`);
      print(
        identical
          ? style(
              "green",
              `Replay:  rebuilt the read models from ${events} events and exported again: the same bytes.`,
            )
          : style("red", "Replay:  the rebuilt export differs from the first one."),
      );
      print(nextSteps(options, rows[0]!.result.sessionId));
    }
    if (!identical) process.exitCode = EXIT.failure;
  });
}
