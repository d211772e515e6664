import type { DriftMetricName } from "../../schemas/rules.ts";
import type { BenchSession } from "./atlas-rule.ts";
import type { Random } from "./random.ts";

/** Sessions in the order in which they completed, and what happens among them. */
export interface Stream {
  name: string;
  /** What happens, for the table. */
  what: string;
  /**
   * Number of the first session that is not like those before, and what has to be found; undefined where none is.
   * Either direction counts where none is given.
   */
  change?: { at: number; metric: DriftMetricName; direction?: "improvement" | "decline" };
  /** The n-th session. Made anew for each run, so that it may remember the sessions before. */
  start(random: Random): (session: number) => BenchSession;
}

export const CHANGE = 200;
const points = (score: number): number => Math.min(1, Math.max(0, score));
const passes = (random: Random, rate: number): number => (random.uniform() < rate ? 1 : 0);

/** What does not change, where nothing is said about it. */
export const usual = (random: Random): Omit<BenchSession, "score"> => ({
  uncertainty: points(random.normal(0.15, 0.04)),
  tokens: Math.round(Math.exp(random.normal(8, 0.4))),
  seconds: Math.exp(random.normal(3, 0.5)),
});

const byScore =
  (score: (random: Random, session: number) => number): Stream["start"] =>
  (random) =>
  (session) => ({ score: points(score(random, session)), ...usual(random) });

const declines = (at = CHANGE): NonNullable<Stream["change"]> => ({
  at,
  metric: "score",
  direction: "decline",
});
const improves: Stream["change"] = { at: CHANGE, metric: "score", direction: "improvement" };

/** All four metrics from four standard values a session. */
const fromFour =
  (standard: (random: Random) => () => number): Stream["start"] =>
  (random) => {
    const next = Array.from({ length: 4 }, () => standard(random));
    return () => ({
      score: 0.5 + 0.05 * next[0]!(),
      uncertainty: 0.5 + 0.04 * next[1]!(),
      tokens: Math.round(Math.exp(8 + 0.4 * next[2]!())),
      seconds: Math.exp(3 + 0.5 * next[3]!()),
    });
  };

const student = (freedom: number) => (random: Random) => (): number => {
  let squares = 0;
  for (let i = 0; i < freedom; i += 1) squares += random.normal(0, 1) ** 2;
  return random.normal(0, 1) / Math.sqrt(squares / freedom);
};

const autoregressive =
  (rho: number) =>
  (random: Random): (() => number) => {
    let last = random.normal(0, 1);
    return () => {
      last = rho * last + random.normal(0, Math.sqrt(1 - rho * rho));
      return last;
    };
  };

const spreads = (random: Random) => (): number => random.normal(0, random.uniform() < 0.1 ? 5 : 1);

const kinds = (random: Random, shares: readonly [number, number]): number => {
  const at = random.uniform();
  if (at < shares[0]) return 0;
  return at < shares[0] + shares[1] ? 0.5 : 1;
};

/** Sessions among which nothing changes. */
export const STEADY: readonly Stream[] = [
  { name: "normal", what: "mean .80, sd .05", start: byScore((random) => random.normal(0.8, 0.05)) },
  {
    name: "quantised",
    what: "steps of .05, mean .85, sd .07",
    start: byScore((random) => Math.round(points(random.normal(0.85, 0.07)) * 20) / 20),
  },
  {
    name: "beta",
    what: "Beta(12, 1.2): mean .91, long tail",
    start: byScore((random) => random.beta(12, 1.2)),
  },
  {
    name: "bimodal",
    what: "3 of 4 at .9, 1 of 4 at .3",
    start: byScore((random) =>
      random.uniform() < 0.75 ? random.normal(0.9, 0.03) : random.normal(0.3, 0.05),
    ),
  },
  { name: "constant", what: "always 1", start: byScore(() => 1) },
  {
    name: "pass .60",
    what: "1 with probability .60, else 0",
    start: byScore((random) => passes(random, 0.6)),
  },
  {
    name: "pass .80",
    what: "1 with probability .80, else 0",
    start: byScore((random) => passes(random, 0.8)),
  },
  {
    name: "pass .95",
    what: "1 with probability .95, else 0",
    start: byScore((random) => passes(random, 0.95)),
  },
  {
    name: "pass .99",
    what: "1 with probability .99, else 0",
    start: byScore((random) => passes(random, 0.99)),
  },
  {
    name: "three values",
    what: "0, .5 and 1 with .03, .12 and .85",
    start: byScore((random) => kinds(random, [0.03, 0.12])),
  },
  {
    name: "rare failure",
    what: "1 of 20 at .2, else .9",
    start: byScore((random) =>
      random.uniform() < 0.05 ? random.normal(0.2, 0.05) : random.normal(0.9, 0.03),
    ),
  },
  {
    name: "rarer failure",
    what: "1 of 50 at .2, else .9",
    start: byScore((random) =>
      random.uniform() < 0.02 ? random.normal(0.2, 0.05) : random.normal(0.9, 0.03),
    ),
  },
  { name: "heavy tails", what: "Student's t with 3 df in all four", start: fromFour(student(3)) },
  { name: "mixed spreads", what: "1 of 10 sessions at 5 times the sd, all four", start: fromFour(spreads) },
  { name: "autocorrelation .3", what: "AR(1) in all four", start: fromFour(autoregressive(0.3)) },
  { name: "autocorrelation .5", what: "AR(1) in all four", start: fromFour(autoregressive(0.5)) },
  {
    name: "a model a day",
    what: "20 sessions a day, each day another model",
    start: (random) => (session) => ({
      score: points(random.normal(0.8, 0.05)),
      ...usual(random),
      model: `model ${Math.floor(session / 20)}`,
    }),
  },
];

/** Streams of 12 sessions in which nothing changes. */
export const SHORT: readonly Stream[] = STEADY.filter(({ name }) =>
  ["normal", "beta", "pass .80", "pass .95", "heavy tails"].includes(name),
);

/** A score that falls by so many standard deviations and stays there. */
export const fallBy = (sd: number): Stream => ({
  name: `fall of ${sd.toFixed(1)} sd`,
  what: `mean .80 to ${(0.8 - 0.05 * sd).toFixed(2).slice(1)}, sd .05`,
  change: declines(),
  start: byScore((random, session) => random.normal(session < CHANGE ? 0.8 : 0.8 - 0.05 * sd, 0.05)),
});

/** Sessions among which something changes. */
export const CHANGING: readonly Stream[] = [
  {
    name: "alternating, then 0",
    what: "1, 0, 1, 0 … and then 0 for good",
    change: declines(),
    start: byScore((_, session) => (session < CHANGE && session % 2 === 0 ? 1 : 0)),
  },
  {
    name: "half pass, then none",
    what: "pass rate .42 to 0",
    change: declines(),
    start: byScore((random, session) => passes(random, session < CHANGE ? 0.42 : 0)),
  },
  {
    name: "pass rate .80 to .40",
    what: "passes and fails",
    change: declines(),
    start: byScore((random, session) => passes(random, session < CHANGE ? 0.8 : 0.4)),
  },
  {
    name: "pass rate .95 to .80",
    what: "passes and fails",
    change: declines(),
    start: byScore((random, session) => passes(random, session < CHANGE ? 0.95 : 0.8)),
  },
  {
    name: "pass rate .42 to .75",
    what: "passes and fails",
    change: improves,
    start: byScore((random, session) => passes(random, session < CHANGE ? 0.42 : 0.75)),
  },
  {
    name: "three values",
    what: "0, .5, 1: .2 .3 .5 to .5 .3 .2",
    change: declines(),
    start: byScore((random, session) => kinds(random, session < CHANGE ? [0.2, 0.3] : [0.5, 0.3])),
  },
  {
    name: "eight perfect, then 0",
    what: "constant 1, then constant 0",
    change: declines(8),
    start: byScore((_, session) => (session < 8 ? 1 : 0)),
  },
  {
    name: "spike",
    what: "one 0 among mean .80, sd .05",
    change: declines(),
    start: byScore((random, session) => (session === CHANGE ? 0 : random.normal(0.8, 0.05))),
  },
  fallBy(0.6),
  fallBy(0.8),
  fallBy(1.2),
  fallBy(6),
  {
    name: "slope",
    what: ".90 to .30 over 150 sessions, sd .03, after 50 steady ones",
    change: declines(50),
    start: byScore((random, session) =>
      random.normal(0.9 - 0.004 * Math.min(150, Math.max(0, session - 50)), 0.03),
    ),
  },
  {
    name: "slow improvement",
    what: ".50 to .90 over 300 sessions, sd .05",
    change: improves,
    start: byScore((random, session) =>
      random.normal(0.5 + (0.4 * Math.min(300, Math.max(0, session - CHANGE))) / 300, 0.05),
    ),
  },
  {
    name: "variance",
    what: "sd .03 to .15, mean .70",
    change: { at: CHANGE, metric: "score" },
    start: byScore((random, session) => random.normal(0.7, session < CHANGE ? 0.03 : 0.15)),
  },
  {
    name: "tokens doubled",
    what: "log-normal, sigma 1",
    change: { at: CHANGE, metric: "tokens", direction: "decline" },
    start: (random) => (session) => ({
      score: points(random.normal(0.8, 0.05)),
      ...usual(random),
      tokens: Math.round(Math.exp(random.normal(session < CHANGE ? 8 : 8 + Math.LN2, 1))),
    }),
  },
  {
    name: "a new model is worse",
    what: "each day another model, 20 sessions a day, −1.2 sd at midnight",
    change: declines(),
    start: (random) => (session) => ({
      score: points(random.normal(session < CHANGE ? 0.8 : 0.74, 0.05)),
      ...usual(random),
      model: `model ${Math.floor(session / 20)}`,
    }),
  },
  {
    name: "fall in autocorrelation",
    what: "AR(1) .5, −2 sd",
    change: declines(),
    start: (random) => {
      const next = fromFour(autoregressive(0.5))(random);
      return (session) => {
        const made = next(session);
        return { ...made, score: made.score - (session < CHANGE ? 0 : 0.1) };
      };
    },
  },
];
