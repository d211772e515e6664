import { z } from "zod";
import type { JsonText, PlanStep } from "../../schemas/generated/events.ts";
import { jsonText } from "../../schemas/json-text.ts";

/** Bounds of a plan: it is shown to models whole. */
const MOST_STEPS = 50;
const LONGEST_DESCRIPTION = 2000;

/** Models write ids as 2, "2" or "#2". */
const stepId = z
  .union([z.number(), z.string().regex(/^\s*#?\d+\s*$/)], { error: "is not the number of a step" })
  .transform((id) => (typeof id === "number" ? id : Number(id.replace("#", ""))))
  .refine((id) => Number.isInteger(id) && id >= 1 && id < 2 ** 31, "is not the number of a step");

/**
 * The JSON text of a tool's arguments: a model's schema cannot hold an object of any form, so it writes them as text;
 * one without a schema may write the object itself.
 */
function paramsText(given: unknown): JsonText | undefined {
  const text = typeof given === "string" && isJson(given) ? given : jsonText(given);
  return text === "null" ? undefined : text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const toolParams = z
  .unknown()
  .optional()
  .transform(paramsText)
  .refine((text) => (text ?? "").length <= LONGEST_DESCRIPTION, "are too long")
  .meta({
    anyOf: [{ type: "string" }, { type: "null" }],
    description: "The tool's arguments, as JSON text",
  });

const PlannedStep = z
  .object({
    id: stepId,
    description: z.string().trim().min(1, "is empty").max(LONGEST_DESCRIPTION, "is too long"),
    depends_on: z
      .array(stepId)
      .nullish()
      .transform((ids) => [...new Set(ids ?? [])]),
    tool: z.string().max(200, "is too long").nullish(),
    tool_params: toolParams,
  })
  .transform(({ id, description, depends_on, tool, tool_params }): PlanStep => {
    const named = tool ? { tool } : {};
    const given = tool_params === undefined ? {} : { tool_params };
    return { id, description, ...named, ...given, depends_on };
  });

/** The steps of a plan, as a model writes them. */
export const PlannedSteps = z.array(PlannedStep).max(MOST_STEPS, `has more than ${MOST_STEPS} steps`);

/** A plan, as a model writes it. */
export const PlanReply = z.object({
  steps: PlannedSteps.refine((steps) => steps.length > 0, "has no step"),
});

/**
 * The steps of a corrected plan. A step of the proposed plan keeps its tool and that tool's arguments where the
 * correction says nothing of them: it has the same description, or the same id and tool.
 *
 * @example
 * correctedSteps([{ ...step, depends_on: [2] }], [{ ...step, tool: "search", tool_params: '{"q":"x"}' }]);
 */
export const correctedSteps = (corrected: readonly PlanStep[], proposed: readonly PlanStep[]): PlanStep[] =>
  corrected.map((step) => {
    const same = proposed.filter(({ description }) => description === step.description);
    const before =
      same.find(({ id }) => id === step.id) ??
      same[0] ??
      proposed.find(({ id, tool }) => id === step.id && tool === step.tool);
    const tool = step.tool ?? before?.tool;
    const tool_params = step.tool_params ?? (tool === before?.tool ? before?.tool_params : undefined);
    const { id, description, depends_on } = step;
    return { id, description, ...(tool && { tool }), ...(tool_params && { tool_params }), depends_on };
  });

/** A way of steps that depend on each other and ends where it began; undefined where there is none. */
function cycleIn(steps: readonly PlanStep[]): number[] | undefined {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const clear = new Set<number>();
  const walk = (id: number, path: readonly number[]): number[] | undefined => {
    if (clear.has(id)) return undefined;
    const from = path.indexOf(id);
    if (from >= 0) return [...path.slice(from), id];
    for (const next of byId.get(id)?.depends_on ?? []) {
      const cycle = walk(next, [...path, id]);
      if (cycle !== undefined) return cycle;
    }
    clear.add(id);
    return undefined;
  };
  for (const { id } of steps) {
    const cycle = walk(id, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/**
 * Why a plan cannot run, naming the steps; undefined when it can.
 *
 * @example
 * planProblem([{ id: 1, description: "a", depends_on: [2] }]); // "step 1 depends on step 2, which does not exist"
 */
export function planProblem(steps: readonly PlanStep[]): string | undefined {
  const ids = new Set<number>();
  for (const { id } of steps) {
    if (ids.has(id)) return `more than one step has the id ${id}`;
    ids.add(id);
  }
  for (const { id, depends_on } of steps) {
    const unknown = depends_on.find((other) => !ids.has(other));
    if (unknown !== undefined) return `step ${id} depends on step ${unknown}, which does not exist`;
  }
  const cycle = cycleIn(steps);
  return cycle === undefined ? undefined : `steps depend on each other in a circle: ${cycle.join(" → ")}`;
}
