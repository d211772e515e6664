import { sendable } from "../../models/sendable.ts";
import { retryPrompt } from "../prompts/retry.ts";
import type { AgentInput } from "./agent.ts";

/** All that an agent is told about an attempt, as one text: for agents that take nothing else. */
export function promptText({ task, step, guidance }: AgentInput): string {
  const retry =
    step.attempt > 1 ? `\n\nYou answered:\n\n${step.previous ?? ""}\n\n${retryPrompt(guidance)}` : "";
  return sendable(`${task}${retry}`);
}
