import { recordedStreams } from "./recorded.ts";
import { CHANGING, fallBy, SHORT, STEADY, type Stream } from "./streams.ts";

/** Sizes of a fall of the score, in standard deviations. */
export const SIZES = [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.5, 2];

const recorded = process.env["ATLAS_RECORDED_RUNS"];
const real = recorded === undefined ? { steady: [], changing: [] } : recordedStreams(recorded);

/** All streams that are measured. */
export const LISTS = {
  steady: [...STEADY, ...real.steady],
  short: SHORT,
  changing: [...CHANGING, ...real.changing],
  falls: SIZES.map(fallBy),
} as const satisfies Record<string, readonly Stream[]>;
/** The name of one of the lists. */
export type ListName = keyof typeof LISTS;
