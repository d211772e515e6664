import { isObject } from "../../traces/clean-text.ts";
import { nameIn, objectIn, present, textIn } from "./fields.ts";

/** What is said of an evaluation as a whole. */
export interface Run {
  id?: string | undefined;
  timestamp?: unknown;
  config?: Record<string, unknown> | undefined;
  /** What each of its sessions has as metadata. */
  about?: Record<string, unknown> | undefined;
  /** Names of the fields that no session has. */
  left: string[];
}

const isResult = (value: unknown): value is Record<string, unknown> =>
  isObject(value) &&
  (isObject(value.prompt) ? typeof value.prompt.raw === "string" : typeof value.prompt === "string") &&
  ["gradingResult", "namedScores", "failureReason", "latencyMs", "testCase"].some((name) => name in value) &&
  ("response" in value || "success" in value || "error" in value);

/** The outputs of a table, as the results that they are. */
function resultsOfTable(table: Record<string, unknown>): Record<string, unknown>[] | undefined {
  const head = objectIn(table.head);
  if (!Array.isArray(table.body)) return undefined;
  const names = Array.isArray(head?.vars) ? (head.vars as unknown[]) : [];
  const prompts = Array.isArray(head?.prompts) ? (head.prompts as unknown[]) : [];
  return (table.body as unknown[]).filter(isObject).flatMap(({ outputs, vars, ...row }, testIdx) => {
    const values = Array.isArray(vars) ? (vars as unknown[]) : [];
    const named = Object.fromEntries(values.map((value, index) => [String(names[index] ?? index), value]));
    const listed = Array.isArray(outputs) ? (outputs as unknown[]).filter(isObject) : [];
    return listed.map((output, promptIdx) => {
      const prompt = output.prompt ?? prompts[promptIdx];
      const provider =
        output.provider ?? (isObject(prompts[promptIdx]) ? prompts[promptIdx].provider : undefined);
      return {
        testIdx,
        promptIdx,
        ...row,
        vars: named,
        ...output,
        prompt,
        ...(provider !== undefined && { provider }),
      };
    });
  });
}

/** The results in a summary, and the fields beside them. */
function inSummary(summary: Record<string, unknown>) {
  const { results, table, ...about } = summary;
  if (Array.isArray(results) && results.some(isResult))
    return { results: results as unknown[], about, table };
  const listed = isObject(table) ? resultsOfTable(table) : undefined;
  return listed === undefined || listed.length === 0
    ? undefined
    : { results: listed, about, table: undefined };
}

const WHOLE = ["config", "prompts", "stats", "shareableUrl", "metadata", "table"];

/**
 * The results of an evaluation, in any of the ways in which promptfoo writes them: all of it, its summary alone, the
 * older table, or one result.
 */
export function resultsIn(value: unknown): { results: readonly unknown[]; run: Run } | undefined {
  if (!isObject(value)) return undefined;
  if (isResult(value)) return { results: [value], run: { left: [] } };
  return inEvaluation(value);
}

function inEvaluation({ results, ...outer }: Record<string, unknown>) {
  const inner = inSummary(isObject(results) ? results : { results, ...outer });
  if (inner === undefined) return undefined;
  const all: Record<string, unknown> = {
    ...(isObject(results) ? outer : {}),
    ...inner.about,
    ...(inner.table != null && { table: inner.table }),
  };
  const config = objectIn(all.config);
  const said = Object.entries(all).filter(([name]) => !WHOLE.includes(name));
  const left = WHOLE.filter((name) => all[name] != null);
  return {
    results: inner.results,
    run: {
      id: nameIn(all.evalId),
      timestamp: all.timestamp ?? all.createdAt,
      config,
      about: present({ ...Object.fromEntries(said), description: textIn(config?.description) }),
      left,
    },
  };
}
