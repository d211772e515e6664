import { retryPrompt } from "../prompts/retry.ts";
import type { AgentInput } from "./agent.ts";

/** All that an agent is told about an attempt, as one text: for agents that take nothing else. */
export function promptText({ task, step, guidance }: AgentInput): string {
  if (step.attempt === 1) return task;
  return `${task}\n\nYou answered:\n\n${step.previous ?? ""}\n\n${retryPrompt(guidance)}`;
}
