import type { Random } from "./random.ts";

/** What a judge might say of the n-th session, and where something begins to change. */
export interface Stream {
  name: string;
  /** Number of the first session that is not like those before; undefined where none is. */
  changeAt?: number;
  /** What happens, for the table. */
  what: string;
  score(random: Random, session: number): number;
}

const CHANGE = 150;
const points = (score: number): number => Math.min(1, Math.max(0, score));
const grades = (score: number): number => Math.round(points(score) * 20) / 20;
const passes = (random: Random, rate: number): number => (random.uniform() < rate ? 1 : 0);

function good(random: Random, rate: number): number {
  return points(random.uniform() < rate ? random.normal(0.9, 0.03) : random.normal(0.3, 0.05));
}

/** Sessions among which nothing changes. */
export const STEADY: readonly Stream[] = [
  { name: "normal", what: "mean .80, sd .05", score: (random) => points(random.normal(0.8, 0.05)) },
  {
    name: "quantised",
    what: "steps of .05, mean .85, sd .07",
    score: (random) => grades(random.normal(0.85, 0.07)),
  },
  { name: "beta", what: "Beta(12, 1.2): mean .91, long tail", score: (random) => random.beta(12, 1.2) },
  { name: "bimodal", what: "3 of 4 at .9, 1 of 4 at .3", score: (random) => good(random, 0.75) },
  { name: "pass or fail", what: "1 with probability .6, else 0", score: (random) => passes(random, 0.6) },
  { name: "constant", what: "always 1", score: () => 1 },
  {
    name: "rare failure",
    what: "1 of 20 at .2, else .9",
    score: (random) => points(random.uniform() < 0.05 ? random.normal(0.2, 0.05) : random.normal(0.9, 0.03)),
  },
];

/** Sessions among which something changes. */
export const CHANGING: readonly Stream[] = [
  {
    name: "eight perfect, then 0",
    what: "constant 1, then constant 0",
    changeAt: 8,
    score: (_, session) => (session < 8 ? 1 : 0),
  },
  {
    name: "spike",
    what: "one 0 among mean .80, sd .05",
    changeAt: CHANGE,
    score: (random, session) => (session === CHANGE ? 0 : points(random.normal(0.8, 0.05))),
  },
  {
    name: "step",
    what: "mean .80 to .50, sd .05",
    changeAt: CHANGE,
    score: (random, session) => points(random.normal(session < CHANGE ? 0.8 : 0.5, 0.05)),
  },
  {
    name: "small step",
    what: "mean .80 to .74, sd .05",
    changeAt: CHANGE,
    score: (random, session) => points(random.normal(session < CHANGE ? 0.8 : 0.74, 0.05)),
  },
  {
    name: "quantised step",
    what: "steps of .05, mean .85 to .75, sd .07",
    changeAt: CHANGE,
    score: (random, session) => grades(random.normal(session < CHANGE ? 0.85 : 0.75, 0.07)),
  },
  {
    name: "pass rate",
    what: "passes fall from .8 to .4",
    changeAt: CHANGE,
    score: (random, session) => passes(random, session < CHANGE ? 0.8 : 0.4),
  },
  {
    name: "slope",
    what: ".90 to .30 over 150 sessions, sd .03, after 50 steady ones",
    changeAt: 50,
    score: (random, session) =>
      points(random.normal(0.9 - 0.004 * Math.min(150, Math.max(0, session - 50)), 0.03)),
  },
  {
    name: "slope from the start",
    what: ".90 to .30 over the first 150 sessions, sd .03",
    changeAt: 0,
    score: (random, session) => points(random.normal(0.9 - 0.004 * Math.min(150, session), 0.03)),
  },
  {
    name: "variance",
    what: "sd .03 to .15, mean .70",
    changeAt: CHANGE,
    score: (random, session) => points(random.normal(0.7, session < CHANGE ? 0.03 : 0.15)),
  },
  {
    name: "improvement",
    what: "mean .50 to .80, sd .05",
    changeAt: CHANGE,
    score: (random, session) => points(random.normal(session < CHANGE ? 0.5 : 0.8, 0.05)),
  },
];
