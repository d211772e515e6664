import { afterEach } from "vitest";
import { openaiModel } from "../../models/openai.ts";
import type { Agent } from "../../producers/agents/agent.ts";
import { modelAgent } from "../../producers/agents/model-agent.ts";
import { type RunResult, runSession, type SessionOptions } from "../../producers/run-session.ts";
import { createFlusher } from "../../recording/flusher.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { DEFAULT_RULES, rulesHash } from "../../schemas/rules.ts";
import { type Answer, completion, json, type ModelServer, startModelServer } from "../models/model-server.ts";
import { MemoryLog } from "../recording/memory-log.ts";
import { checkSession } from "./session-checks.ts";

export const RULES_HASH = rulesHash(DEFAULT_RULES);

type Role = "student" | "teacher" | "judge";

/** What a role replies: texts one after the other, the last for ever, or anything else that a server can do. */
type Replies = readonly string[] | Answer;

export const VALID = '{"valid": true, "guidance": null, "reason": "fine"}';
export const INVALID = '{"valid": false, "guidance": "say it in French", "reason": "wrong language"}';
export const SCORE =
  '{"score": 0.8, "uncertainty": 0.1, "rationale": "good", "principles": [{"name": "correctness", "weight": 1}]}';

const servers: ModelServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

function inTurn(replies: readonly string[]): Answer {
  let next = 0;
  return (_, response) => json(response, completion(replies[Math.min(next++, replies.length - 1)]!));
}

/** A real server that plays all roles; each is asked under its own name as the model. */
export async function startRoles(replies: Partial<Record<Role, Replies>> = {}) {
  const answers = { student: ["an answer"], teacher: [VALID], judge: [SCORE], ...replies };
  const byRole = new Map(
    Object.entries(answers).map(([role, given]) => [
      role,
      typeof given === "function" ? given : inTurn(given),
    ]),
  );
  const server = await startModelServer((request, response) =>
    byRole.get(String(request.body["model"]))!(request, response),
  );
  servers.push(server);
  const client = (model: Role) =>
    openaiModel({ model, baseUrl: server.url, maxRetries: 0, provider: "local" });
  const asked = (role: Role) =>
    server.requests
      .filter(({ body }) => body["model"] === role)
      .map(({ body }) => body["messages"] as { role: string; content: string }[]);
  return {
    agent: modelAgent(client("student"), { systemPrompt: "be brief" }),
    teacher: client("teacher"),
    judge: client("judge"),
    asked,
    url: server.url,
  };
}

/** Runs a session into a log of its own, and checks what holds for every session. */
export async function run(
  options: Partial<SessionOptions> & Pick<SessionOptions, "teacher" | "judge"> & { agent: Agent },
): Promise<{ result: RunResult; events: AtlasEvent[]; log: MemoryLog }> {
  const log = new MemoryLog();
  const flusher = createFlusher(log);
  const result = await runSession({ task: "Say hello", flusher, rulesHash: RULES_HASH, ...options });
  await result.durable;
  const events = log.session(result.sessionId);
  checkSession(events);
  return { result, events, log };
}
