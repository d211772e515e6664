import { isObject } from "../../traces/clean-text.ts";

/** A call as BFCL writes it: a name, and its arguments as JSON text or as an object. */
const isCall = (value: unknown): value is Record<string, unknown> =>
  isObject(value) &&
  Object.keys(value).length === 1 &&
  Object.values(value).every(
    (args) => isObject(args) || (typeof args === "string" && args.trimStart().startsWith("{")),
  );

/** Whether a value is what a model gave in one step as calls. */
export const isListOfCalls = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length > 0 && value.every(isCall);

/** What was given in each turn and step, of a result of any category: one answer, or a list of turns. */
export function stepsOf(result: unknown): unknown[][] {
  if (!Array.isArray(result) || isListOfCalls(result)) return [[result]];
  return (result as unknown[]).map((turn) =>
    Array.isArray(turn) && !isListOfCalls(turn) ? (turn as unknown[]) : [turn],
  );
}

/** The number of a turn and step, where each is counted by itself. */
export function numberAt(counts: unknown, turn: number, step: number): unknown {
  const ofTurn = Array.isArray(counts) ? (counts as unknown[])[turn] : undefined;
  return Array.isArray(ofTurn) ? (ofTurn as unknown[])[step] : step === 0 ? ofTurn : undefined;
}
