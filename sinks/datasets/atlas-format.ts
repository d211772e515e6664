import { encodeTrainingLine } from "../../traces/training-line.ts";
import type { LineFormat } from "./format.ts";

/** The lines of `atlas export`: what Atlas Core's loaders read. */
export const atlasFormat: LineFormat = {
  name: "atlas",
  extension: "jsonl",
  encode: (trace) => [encodeTrainingLine(trace)],
};
