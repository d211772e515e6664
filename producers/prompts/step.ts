import { excerpt } from "../../models/excerpt.ts";
import type { PlanStep } from "../../schemas/generated/events.ts";

/** A step that is done, and what came of it. */
export interface PriorResult {
  id: number;
  description: string;
  output: string;
}

/** Name these prompts in events; change whenever their texts do. */
export const STEP_VERSION = "step.v2";
export const SYNTHESIS_VERSION = "synthesis.v1";
export const GUIDED_VERSION = "guided.v1";

/** Characters of all prior results together. */
const BUDGET = 96_000;

/** The words that stand before a student's step, and before the outputs that are to become one answer. */
export const STEP_REQUEST = "Work on this step of the task only:";
export const SYNTHESIS_REQUEST = "All steps of this task are done. Give the complete answer to the task";

function resultsText(results: readonly PriorResult[]): string {
  const limit = Math.floor(BUDGET / Math.max(results.length, 1));
  return results
    .map(({ id, description, output }) => `Step ${id}: ${description}\n\n${excerpt(output, limit)}`)
    .join("\n\n---\n");
}

/** Asks a student for one step of a plan, with the outputs that the step depends on. */
export function stepPrompt(task: string, step: PlanStep, results: readonly PriorResult[]): string {
  const given = step.tool_params ? ` with the arguments ${step.tool_params}` : "";
  const tool = step.tool ? `\nThe plan suggests the tool ${step.tool}${given}.` : "";
  const before = results.length === 0 ? "" : `\n\nWhat came of the steps before:\n\n${resultsText(results)}`;
  return `${task}${before}\n\n---\n${STEP_REQUEST}\n\n${step.description}${tool}`;
}

/** Asks a student for the answer to the whole task, from the outputs of its steps. */
export const synthesisPrompt = (task: string, results: readonly PriorResult[]): string =>
  `${task}\n\nWhat came of the steps:\n\n${resultsText(results)}\n\n---\n${SYNTHESIS_REQUEST}, complete in itself, from what came of them.`;

/** Asks a student for a whole task at once, along a reviewed plan. */
export function guidedPrompt(task: string, steps: readonly PlanStep[]): string {
  const list = steps.map(({ description }, index) => `${index + 1}. ${description}`).join("\n");
  return `${task}\n\n---\nGive the complete answer in one reply. Go by this plan:\n\n${list}`;
}

/** What was achieved by a plan that was not finished. */
export const achievedText = (results: readonly PriorResult[]): string =>
  results.map(({ id, description, output }) => `Step ${id}: ${description}\n\n${output}`).join("\n\n");
