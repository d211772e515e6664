import type { Rule } from "./rivals.ts";

const WINDOW = 50;
const THRESHOLD = 3;
const MIN_BASELINE = 5;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Both z-scores of a value; null where the spread is 0. */
function zScores(value: number, values: readonly number[]): (number | null)[] {
  const centre = mean(values);
  const spread = Math.sqrt(mean(values.map((each) => (each - centre) ** 2)));
  const middle = median(values);
  const distance = 1.4826 * median(values.map((each) => Math.abs(each - middle)));
  return [
    spread === 0 ? null : (value - centre) / spread,
    distance === 0 ? null : (value - middle) / distance,
  ];
}

/**
 * The drift rule of the Python SDK: z and MAD z of score and uncertainty against the newest 50 sessions, the one that
 * is judged among them, at a threshold of 3 each.
 */
export const pythonRule: Rule = (sessions) =>
  sessions.map((session, index) => {
    const window = sessions.slice(Math.max(0, index + 1 - WINDOW), index + 1);
    if (window.length < MIN_BASELINE) return [];
    return (["score", "uncertainty"] as const).flatMap((metric) => {
      const z = zScores(
        session[metric],
        window.map((each) => each[metric]),
      ).find((each) => each !== null && Math.abs(each) >= THRESHOLD);
      if (z === undefined || z === null) return [];
      return [{ metric, direction: z > 0 === (metric === "score") ? "improvement" : "decline" } as const];
    });
  });
