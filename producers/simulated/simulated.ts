import { setTimeout as sleep } from "node:timers/promises";
import type { ChatMessage, ModelClient, ModelReply, ModelRequest } from "../../models/model-client.ts";
import { PLAN_REQUEST } from "../prompts/plan.ts";
import { STEP_REQUEST, SYNTHESIS_REQUEST } from "../prompts/step.ts";
import { reviewOf } from "./simulated-reviews.ts";

/** What the teacher is asked about, as far as the simulation looks at it. */
interface Validated {
  task?: string;
  answer?: string;
}

interface JudgedStep {
  status: string;
  attempts?: readonly { answer?: string }[];
}

/** What a judge is asked about, as far as the simulation looks at it. */
interface Judged {
  task?: string;
  status?: string;
  final_answer?: string | null;
  steps?: readonly JudgedStep[];
}

/** Stands at the head of every text that no model wrote. */
export const SIMULATED_MARK = "[simulated]";

const marked = (text: string): string => `${SIMULATED_MARK} ${text}`;

const contentOf = ({ content }: ChatMessage): string =>
  typeof content === "string" ? content : JSON.stringify(content ?? "");

/** Missing texts of a payload that somebody else wrote count as empty ones. */
function payloadOf<T>(request: ModelRequest): Partial<T> {
  try {
    const payload: unknown = JSON.parse(contentOf(request.messages.at(-1)!));
    return typeof payload === "object" && payload !== null ? payload : {};
  } catch {
    return {};
  }
}

/** A plan for a task that the simulation knows nothing of. */
const simulatedPlan = () => ({
  steps: [
    { id: 1, description: marked("Find out what matters for the task."), depends_on: [] },
    { id: 2, description: marked("Write the answer from it."), depends_on: [1] },
  ],
});

/** The first request of a conversation says whether a plan, a step or an answer from steps is wanted. */
function answer(request: ModelRequest): string {
  const asked = request.messages.filter(({ role }) => role === "user").map(contentOf);
  const first = asked[0] ?? "";
  if (first.includes(PLAN_REQUEST)) return JSON.stringify(simulatedPlan());
  const wanted = first.split(STEP_REQUEST)[1];
  if (wanted !== undefined)
    return marked(`No model was asked. This stands for: ${wanted.trim().slice(0, 200)}`);
  if (first.includes(SYNTHESIS_REQUEST)) {
    const known = reviewOf(first);
    if (known !== undefined) return marked(known.answers[1]);
  }
  const task = first;
  const attempt = request.messages.filter(({ role }) => role === "assistant").length;
  const known = reviewOf(task);
  if (known !== undefined) return marked(known.answers[attempt === 0 ? 0 : 1]);
  const topic = task.replace(/\s+/g, " ").trim().slice(0, 120);
  const revised = attempt === 0 ? "" : ` Revised after: ${(asked.at(-1) ?? "").slice(0, 120)}`;
  return marked(`No model was asked. This stands for an answer to: ${topic}.${revised}`);
}

function validate(request: ModelRequest): unknown {
  const { task = "", answer: given = "" } = payloadOf<Validated>(request);
  const missing = reviewOf(task)?.findings.filter(({ says }) => !says.test(given)) ?? [];
  const first = missing[0];
  if (given.trim() === "") {
    return { valid: false, reason: marked("the answer is empty"), guidance: marked("Answer the task.") };
  }
  if (first === undefined) return { valid: true, reason: marked("nothing is missing"), guidance: null };
  return {
    valid: false,
    reason: marked(`${missing.length} of the points that matter are missing`),
    guidance: marked(first.guidance),
  };
}

function validateStep(request: ModelRequest): unknown {
  const { answer: given = "" } = payloadOf<Validated>(request);
  const valid = given.trim() !== "";
  const reason = marked(valid ? "the step is done" : "the answer is empty");
  return { valid, reason, guidance: valid ? null : marked("Do the step.") };
}

/** Keeps every plan. */
const reviewPlan = (request: ModelRequest): unknown => ({
  steps: payloadOf<{ steps: unknown }>(request).steps ?? [],
  concerns: null,
});

function probe(request: ModelRequest): unknown {
  const { learning_history } = payloadOf<{ learning_history: { average_score?: number } }>(request);
  return { mode: null, confidence: learning_history?.average_score ?? null };
}

const JUDGE_PROMPT = /^[a-z-]+-judge\./;

/** A session, a step of one, or either with the samples that an arbitration settles. */
function judgedOf(request: ModelRequest): Partial<Judged> {
  const payload = payloadOf<Judged & { material: Judged; step: JudgedStep }>(request);
  const judged: Partial<Judged & { step: JudgedStep }> = payload.material ?? payload;
  const { step } = judged;
  if (step === undefined) return judged;
  return {
    ...judged,
    status: step.status,
    final_answer: step.attempts?.at(-1)?.answer ?? null,
    steps: [step],
  };
}

function judge(request: ModelRequest): unknown {
  const { task = "", status, final_answer, steps = [] } = judgedOf(request);
  const findings = reviewOf(task)?.findings ?? [];
  const given = final_answer ?? "";
  const found = findings.filter(({ says }) => says.test(given)).length;
  const covered = findings.length === 0 ? 1 : found / findings.length;
  const retries = steps.reduce((sum, step) => sum + Math.max((step.attempts?.length ?? 1) - 1, 0), 0);
  const accepted = status === "succeeded";
  const score = accepted ? Math.max(0.94 - 0.16 * retries, 0.5) : Math.min(0.45 * covered, 0.4);
  const points = findings.length === 0 ? "" : `${found} of ${findings.length} expected points, `;
  return {
    score: Math.round(score * 100) / 100,
    uncertainty: accepted ? 0.08 : 0.15,
    rationale: marked(
      `${points}${retries} retries, ${accepted ? "accepted" : "not accepted"} by the teacher.`,
    ),
    principles: [
      { name: "correctness", weight: 0.7, description: marked("says what matters") },
      { name: "independence", weight: 0.3, description: marked("needs no guidance") },
    ],
  };
}

function replyTo(request: ModelRequest): string {
  const prompt = request.promptVersion ?? "";
  if (prompt.startsWith("validation.")) return JSON.stringify(validate(request));
  if (prompt.startsWith("step-validation.")) return JSON.stringify(validateStep(request));
  if (prompt.startsWith("plan-review.")) return JSON.stringify(reviewPlan(request));
  if (prompt.startsWith("probe.")) return JSON.stringify(probe(request));
  if (JUDGE_PROMPT.test(prompt)) return JSON.stringify(judge(request));
  return answer(request);
}

/** About four characters make a token. */
const tokensOf = (text: string): number => Math.ceil(text.length / 4);

/**
 * A model that is none: it needs no key and no network, and gives the same answer to the same request, always marked
 * as simulated. It knows the quickstart's tasks, and answers all others in general words.
 *
 * @param latencyMs milliseconds per hundred tokens of an answer; 10 unless told
 * @example
 * const model = simulatedModel();
 */
export function simulatedModel({ latencyMs = 10 }: { latencyMs?: number } = {}): ModelClient {
  const model = "simulated";
  return {
    provider: "simulated",
    model,
    simulated: true,
    async complete(request, { signal } = {}): Promise<ModelReply> {
      signal?.throwIfAborted();
      const content = replyTo(request);
      const promptTokens = tokensOf(request.messages.map(contentOf).join("\n"));
      const completionTokens = tokensOf(content);
      try {
        await sleep((latencyMs * completionTokens) / 100, undefined, signal ? { signal } : {});
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      }
      return {
        content,
        toolCalls: [],
        message: { role: "assistant", content },
        usage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens },
        model,
        finishReason: "stop",
      };
    },
  };
}
