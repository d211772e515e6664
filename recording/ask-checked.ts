import type { z } from "zod";
import type { ChatMessage, ModelRequest } from "../models/model-client.ts";
import { versions } from "../models/prompt.ts";
import { type ReadReply, readReply } from "../models/read-reply.ts";
import { REPAIR_VERSION, repairPrompt } from "../models/repair.ts";
import { jsonSchemaOf } from "../models/reply-schema.ts";
import type { Uuid } from "../schemas/generated/events.ts";
import { callModel, type ModelCall, type RecordedReply } from "./call-model.ts";
import type { SessionScope } from "./session-scope.ts";

/**
 * Asks a model for a JSON object, by its schema where the provider can promise it. A reply that cannot be read is sent back once with what was wrong with it.
 *
 * @returns the object, or what is wrong with the second reply as well; with the call that the reply came from, and all
 *   replies
 * @throws AtlasError ATLAS_MODEL_FAILED, or the reason of the session's signal
 * @example
 * const { value, problem, callId } = await askChecked(scope, { client, request, role: "teacher" }, Reply);
 */
export async function askChecked<T>(
  scope: SessionScope,
  call: ModelCall,
  schema: z.ZodType<T>,
): Promise<ReadReply<T> & { callId: Uuid; replies: readonly RecordedReply[] }> {
  const request: ModelRequest = { json: true, jsonSchema: jsonSchemaOf(schema), ...call.request };
  const first = await callModel(scope, { ...call, request });
  const read = readReply(schema, first.content);
  if (read.problem === undefined) return { ...read, callId: first.callId, replies: [first] };
  const said: ChatMessage = { ...first.message, role: "assistant", content: first.content };
  const again: ChatMessage = { role: "user", content: repairPrompt(read.problem) };
  const repair: ModelRequest = {
    ...request,
    messages: [...request.messages, said, again],
    promptVersion: versions(request.promptVersion, REPAIR_VERSION),
  };
  const second = await callModel(scope, { ...call, request: repair });
  return { ...readReply(schema, second.content), callId: second.callId, replies: [first, second] };
}
