import { isObject } from "../../traces/clean-text.ts";
import { numberIn } from "./fields.ts";
import type { RecordedScore } from "./format.ts";

/** Words that Inspect's scorers say in place of a number. */
const WORDS: Record<string, number> = { c: 1, i: 0, p: 0.5, n: 0, yes: 1, no: 0, true: 1, false: 0 };

function numberOf(value: unknown): number | undefined {
  const word = typeof value === "string" ? value.trim().toLowerCase() : "";
  return Object.hasOwn(WORDS, word) ? WORDS[word] : numberIn(value);
}

/** The scores of a scorer: one, or one for each member of its value. */
function scoresOf(judge: string, value: unknown, rationale: string | undefined): RecordedScore[] | undefined {
  const score = numberOf(value);
  if (score !== undefined) return [{ judge, score, rationale }];
  if (typeof value !== "object" || value === null) return undefined;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  const found: RecordedScore[] = [];
  for (const [name, member] of members) {
    const inner = scoresOf(`${judge}/${name}`, member, rationale);
    if (inner === undefined) return undefined;
    for (const each of inner) found.push(each);
  }
  return found;
}

/** What scorers made of a sample, and all that they said besides. */
export interface InspectScores {
  scores: RecordedScore[];
  details: Record<string, unknown>;
}

/**
 * Reads the scores of a sample by the names of their scorers. One that is no number stays among the details, and is
 * told.
 */
export function inspectScores(named: Record<string, unknown>, note: (what: string) => void): InspectScores {
  const scores: RecordedScore[] = [];
  const details: Record<string, unknown> = {};
  for (const [judge, given] of Object.entries(named)) {
    const { value, explanation, ...rest } = isObject(given) ? given : { value: given };
    const rationale = typeof explanation === "string" && explanation !== "" ? explanation : undefined;
    const read = value === null || value === undefined ? [] : scoresOf(judge, value, rationale);
    if (read === undefined)
      note(`a score of ${judge} is neither a number nor C, I, P or N: it is kept with the metadata`);
    for (const each of read ?? []) scores.push(each);
    const isTold = rationale !== undefined && read !== undefined && read.length > 0;
    details[judge] = { value, ...rest, ...(!isTold && explanation !== undefined && { explanation }) };
  }
  return { scores, details };
}
