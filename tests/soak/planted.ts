import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seeded } from "./random.ts";

const RUNS = process.env.ATLAS_RECORDED_RUNS;

/** Rewards of real runs where they are at hand, else passes and fails in a fixed order. */
function groundTruth(): number[] {
  if (RUNS === undefined) return Array.from({ length: 100 }, (_, index) => ((index * 37) % 100 < 45 ? 1 : 0));
  const lines = readFileSync(join(RUNS, "airline.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => (JSON.parse(line) as { reward: number }).reward);
}

/** What is planted into each learning key, by the part of its sessions that it takes. */
const SPIKE = 0.35;
const SLOPE = [0.5, 0.7] as const;
const COLLAPSE = 0.8;
const KEYS = ["retail", "airline", "bank"] as const;

function plantedAt(part: number, score: number, previous: number): number {
  if (part >= COLLAPSE || (previous < SPIKE && part >= SPIKE)) return 0;
  const [from, to] = SLOPE;
  return part >= from && part < to ? score * (1 - (part - from) / (to - from)) : score;
}

/** Writes a file of runs in whose rewards each learning key has a spike, a slope and a collapse. */
export function writePlanted(file: string, seed: number, count = 45): void {
  const random = seeded(seed);
  const truth = groundTruth();
  const lines = Array.from({ length: count }, (_, index) => {
    const five = [0, 1, 2, 3, 4].map(() => truth[random.below(truth.length)]!);
    const score = 0.5 + five.reduce((sum, reward) => sum + reward, 0) / 10;
    const place = Math.floor(index / KEYS.length);
    const each = Math.ceil(count / KEYS.length);
    const row = {
      id: `planted-${index}`,
      task: `Book the ${index}th trip`,
      reward: plantedAt(place / each, score, (place - 1) / each),
      created_at: new Date(Date.UTC(2025, 3, 1) + index * 3_600_000).toISOString(),
      metadata: { agent: "clerk", learning_key: KEYS[index % KEYS.length] },
      messages: [
        { role: "user", content: `I want the ${index}th trip.` },
        { role: "assistant", content: `The ${index}th trip is booked.` },
      ],
    };
    return `${JSON.stringify(row)}\n`;
  });
  writeFileSync(file, lines.join(""));
}
