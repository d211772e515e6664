import { isObject } from "../../traces/clean-text.ts";
import { toolDefinitions } from "../chat/tool-definitions.ts";
import type { Attributes } from "./attributes.ts";
import { unfolded } from "./attributes.ts";
import { parsedText, type Said } from "./said.ts";

const inner = (value: unknown, name: string): Record<string, unknown> => {
  const item = unfolded(value);
  const found = isObject(item) ? (item[name] ?? item) : {};
  return isObject(found) ? found : {};
};

function partOf(value: unknown): unknown {
  const { type, text, image, ...rest } = inner(value, "message_content");
  const { url } = inner(inner(image, "image"), "image");
  if (typeof url === "string") return { type: "image_url", image_url: { url }, ...rest };
  return {
    type: type ?? "text",
    ...(text !== undefined && { text }),
    ...(image !== undefined && { image }),
    ...rest,
  };
}

function messageOf(value: unknown): unknown {
  const message = inner(value, "message");
  const { role, content, contents, tool_calls, function_call_name, function_call_arguments_json, ...rest } =
    message;
  const calls = Array.isArray(tool_calls) ? (tool_calls as unknown[]) : [];
  const list = Array.isArray(contents) ? (contents as unknown[]).map(partOf) : [];
  const [only] = list;
  const isText =
    list.length === 1 && isObject(only) && only.type === "text" && Object.keys(only).length === 2;
  return {
    ...rest,
    role: role ?? "assistant",
    content: isText ? only.text : list.length > 0 ? list : (content ?? null),
    ...(calls.length > 0 && {
      tool_calls: calls.map((call) => ({ type: "function", ...inner(call, "tool_call") })),
    }),
    ...(typeof function_call_name === "string" && {
      function_call: { name: function_call_name, arguments: function_call_arguments_json ?? "{}" },
    }),
  };
}

function listOf(value: unknown): unknown[] | undefined {
  const list = unfolded(parsedText(value));
  return Array.isArray(list) && list.length > 0 ? (list as unknown[]) : undefined;
}

const schemaOf = (value: unknown): unknown => {
  const tool = inner(value, "tool");
  return parsedText(tool.json_schema ?? tool);
};

/** What a span says in the notation of OpenInference. */
export function openInferenceSaid(attributes: Attributes): Said {
  const prompts = listOf(attributes.take("llm.prompts"));
  const choices = listOf(attributes.take("llm.choices"));
  return {
    asked:
      listOf(attributes.take("llm.input_messages"))?.map(messageOf) ??
      prompts?.map((prompt) => ({ role: "user", content: String(inner(prompt, "prompt").text ?? "") })),
    answered:
      listOf(attributes.take("llm.output_messages"))?.map(messageOf) ??
      choices?.slice(0, 1).map((choice) => ({
        role: "assistant",
        content: String(inner(choice, "completion").text ?? ""),
      })),
    tools: toolDefinitions(listOf(attributes.take("llm.tools"))?.map(schemaOf)),
  };
}
