import type { ModelClient } from "../../models/model-client.ts";

/** Every lane, from the least help to the most. */
export const LANES = ["auto", "paired", "coach"] as const;

/**
 * How much help a student gets. `auto`: none. `paired`: a teacher validates its answers and guides retries. `coach`:
 * the teacher also reviews its plan before anything runs.
 */
export type Lane = (typeof LANES)[number];

const MODES = ["single_shot", "stepwise"] as const;

/** `single_shot`: the task in one step. `stepwise`: a plan's steps, then one answer from their outputs. */
export type ExecutionMode = (typeof MODES)[number];

/** One mode for every lane, or one for each; a lane that is not named keeps its own. */
export type ExecutionModes = ExecutionMode | { readonly [L in Lane]?: ExecutionMode | undefined };

/** How a session's lane is chosen; see `docs/lanes.md` for the order in which these are looked at. */
export interface LaneOptions {
  /** This lane, whatever else is said. */
  forced?: Lane | undefined;
  /** False: always `paired`, unless forced. */
  adaptive?: boolean | undefined;
  /** This lane, where lanes are chosen at all. */
  override?: Lane | undefined;
  /** The model that is asked how well the student can do the task. */
  probe?: ModelClient | undefined;
  /** Lowest confidence for a lane, where the probe names none; below `paired` it is `coach`. 0.85 and 0.65 unless told. */
  thresholds?: { auto?: number | undefined; paired?: number | undefined } | undefined;
  /** The lane where the probe gives no usable answer; `paired` unless told. */
  fallback?: Lane | undefined;
  /** Most earlier sessions that the probe is shown; 10 unless told. */
  historyLimit?: number | undefined;
}

/** The mode of a lane unless told: only a reviewed plan is worth its steps by itself. */
const defaultMode = (lane: Lane): ExecutionMode => (lane === "coach" ? "stepwise" : "single_shot");

/**
 * The mode in which a lane works.
 *
 * @example
 * modeOf("auto", { coach: "single_shot" }); // "single_shot", which is its own
 */
export const modeOf = (lane: Lane, modes?: ExecutionModes): ExecutionMode =>
  (typeof modes === "object" ? modes[lane] : modes) ?? defaultMode(lane);

/** Whether these are modes that exist, of lanes that exist. */
export const areModes = (modes: ExecutionModes): boolean =>
  Object.entries(typeof modes === "object" ? modes : { auto: modes }).every(
    ([lane, mode]) =>
      LANES.some((known) => known === lane) && (mode === undefined || MODES.some((known) => known === mode)),
  );

/**
 * What is wrong with lane options, in words; undefined when nothing is.
 *
 * @example
 * laneProblem({ thresholds: { auto: 0.5 } }); // "lane.thresholds.auto must not be below lane.thresholds.paired"
 */
export function laneProblem(options: LaneOptions): string | undefined {
  for (const name of ["forced", "override", "fallback"] as const) {
    const lane = options[name];
    if (lane !== undefined && !LANES.includes(lane)) return `lane.${name} must be one of ${LANES.join(", ")}`;
  }
  const { auto = 0.85, paired = 0.65 } = options.thresholds ?? {};
  if (![auto, paired].every((value) => value >= 0 && value <= 1))
    return "lane.thresholds must be between 0 and 1";
  if (auto < paired) return "lane.thresholds.auto must not be below lane.thresholds.paired";
  const { historyLimit = 10 } = options;
  if (!Number.isInteger(historyLimit) || historyLimit < 1)
    return "lane.historyLimit must be a whole number from 1";
  return undefined;
}
