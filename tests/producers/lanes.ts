import type { ChatMessage } from "../../models/model-client.ts";
import { PLAN_REQUEST } from "../../producers/prompts/plan.ts";
import { STEP_REQUEST, SYNTHESIS_REQUEST } from "../../producers/prompts/step.ts";
import { type Answer, completion, json } from "../models/model-server.ts";

/** What a student is asked for. */
export type Wanted = "plan" | "step" | "synthesis" | "answer";

export interface Planned {
  id: number | string;
  description: string;
  depends_on?: (number | string)[];
}

/** What the messages to a student ask for, and the description of the step where it is one. */
export function wantedOf(messages: readonly { role: string; content?: unknown }[]): {
  wanted: Wanted;
  step: string;
} {
  const first = String(messages.find(({ role }) => role === "user")?.content);
  if (first.includes(PLAN_REQUEST)) return { wanted: "plan", step: "" };
  if (first.includes(SYNTHESIS_REQUEST)) return { wanted: "synthesis", step: "" };
  const step = first.split(STEP_REQUEST)[1]?.trim();
  return step === undefined ? { wanted: "answer", step: "" } : { wanted: "step", step };
}

/** A student that plans these steps, and works on them as `work` says. */
export function planningStudent(
  steps: readonly Planned[] | string,
  work: (step: string) => string | Promise<string> = (step) => `did ${step}`,
): Answer {
  const plan = typeof steps === "string" ? steps : JSON.stringify({ steps });
  return async ({ body }, response) => {
    const { wanted, step } = wantedOf(body["messages"] as ChatMessage[]);
    if (wanted === "plan") return json(response, completion(plan));
    if (wanted === "step") return json(response, completion(await work(step)));
    json(response, completion(wanted === "synthesis" ? "the whole" : "an answer"));
  };
}

/** A teacher that keeps plans, or replies with `review`, and accepts what `accepts` does. */
export function reviewingTeacher({
  review = '{"steps": [], "concerns": null}',
  accepts = () => true,
}: {
  review?: string;
  accepts?: (answer: string, attempt: number) => boolean;
} = {}): Answer {
  return ({ body }, response) => {
    const [system, user] = body["messages"] as { content: string }[];
    if (system!.content.includes("review its plan")) return json(response, completion(review));
    const { answer, attempt } = JSON.parse(user!.content) as { answer: string; attempt: number };
    const valid = accepts(answer, attempt);
    json(
      response,
      completion(JSON.stringify({ valid, guidance: valid ? null : "do it again", reason: "seen" })),
    );
  };
}
