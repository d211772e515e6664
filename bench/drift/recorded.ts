import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "./random.ts";
import { CHANGE, type Stream, usual } from "./streams.ts";

interface Run {
  task: number;
  score: number;
  tokens: number;
  seconds: number;
}

interface Line {
  reward: number;
  messages: { content?: string | null }[];
  metadata: { task_id: number };
}

function runsOf(folder: string): Run[] {
  const lines = readFileSync(join(folder, "airline.jsonl"), "utf8").trim().split("\n");
  return lines.map((text) => {
    const { reward, messages, metadata } = JSON.parse(text) as Line;
    return {
      task: metadata.task_id,
      score: reward,
      tokens: messages.reduce((sum, { content }) => sum + Math.ceil((content ?? "").length / 4), 0),
      seconds: 3 * messages.length,
    };
  });
}

/** Runs over and over, from a random one on. Uncertainty is drawn: no judge was asked. */
const repeated =
  (runs: readonly Run[], last?: readonly Run[]): Stream["start"] =>
  (random) => {
    const first = Math.floor(random.uniform() * runs.length);
    return (session) => {
      const from = last !== undefined && session >= CHANGE ? last : runs;
      const { score, tokens, seconds } = from[(first + session) % from.length]!;
      return { ...usual(random), score, tokens, seconds };
    };
  };

const drawn =
  (runs: readonly Run[]): Stream["start"] =>
  (random: Random) =>
  () => {
    const { score, tokens, seconds } = runs[Math.floor(random.uniform() * runs.length)]!;
    return { ...usual(random), score, tokens, seconds };
  };

/** Streams of 100 recorded runs of an agent for an airline: rewards and sizes are real, and so is their order. */
export function recordedStreams(folder: string): { steady: Stream[]; changing: Stream[] } {
  const runs = runsOf(folder);
  const byTask = runs.toSorted((a, b) => a.task - b.task);
  const failures = runs.filter(({ score }) => score === 0);
  const change = { at: CHANGE, metric: "score", direction: "decline" } as const;
  return {
    steady: [
      { name: "recorded, drawn", what: "100 recorded runs, drawn at random", start: drawn(runs) },
      { name: "recorded, in order", what: "in the order of the file, over and over", start: repeated(runs) },
      { name: "recorded, by task", what: "both runs of each task in a row", start: repeated(byTask) },
    ],
    changing: [
      {
        name: "recorded, then failures",
        what: "in order, and then the failed runs alone",
        change,
        start: repeated(runs, failures),
      },
    ],
  };
}
