import { explain } from "../../errors/atlas-error.ts";
import { sendable } from "../../models/sendable.ts";
import { callModel } from "../../recording/call-model.ts";
import { OpenCalls } from "../../recording/open-calls.ts";
import { type SessionScope, stopwatch, unlessAborted } from "../../recording/session-scope.ts";
import { newId } from "../../schemas/identity.ts";
import { jsonText, textOf } from "../../schemas/json-text.ts";
import type { AgentContext } from "./agent.ts";
import { resultsInOrder } from "./results-in-order.ts";
import { UnseenRequests } from "./unseen-requests.ts";

/** An agent's context, and the way to end it with the attempt. */
export interface OpenContext {
  ctx: AgentContext;
  /** Counts what the agent asks over HTTP while it is invoked, and nobody records. */
  unseen: UnseenRequests;
  /** Ends calls that the agent did not wait for; later ones are refused. */
  close(why: string): void;
}

/** Opens the context that records what an agent does in one attempt. */
export function openContext(scope: SessionScope, stepId: number, attempt: number): OpenContext {
  const { recorder, signal } = scope;
  const calls = new OpenCalls();
  const conversation = resultsInOrder((message) => {
    recorder.emit("MessageRecorded", {
      index: scope.nextMessage(),
      role: message.role,
      message: jsonText(message),
      step_id: stepId,
      attempt,
    });
  });

  const ctx: AgentContext = {
    async tool(name, given, run) {
      const args = sendable(given);
      calls.check();
      await recorder.ready(signal);
      signal.throwIfAborted();
      calls.check();
      const callId = newId();
      const place = { call_id: callId, parent_id: calls.parent, step_id: stepId, attempt, name };
      recorder.emit("ToolCallStarted", { ...place, arguments: jsonText(args) });
      const duration = stopwatch();
      const ended = (output: string | null, error: string | null): void => {
        recorder.emit("ToolCallEnded", { ...place, output, error, duration_us: duration() });
      };
      calls.begin(callId, (error) => ended(null, error));
      try {
        const result = await unlessAborted(signal, () => calls.inside(callId, () => run(args)));
        if (calls.end(callId)) ended(textOf(result), null);
        return result;
      } catch (error) {
        if (calls.end(callId)) ended(null, explain(error));
        throw error;
      }
    },
    model: (client, request, role = "student") =>
      callModel(scope, { client, request, role, stepId, attempt, calls }),
    message(message) {
      calls.check();
      conversation.add(sendable(message));
    },
  };
  return {
    ctx,
    unseen: new UnseenRequests(calls),
    close(why) {
      calls.close(why);
      conversation.end();
    },
  };
}
