import { isObject } from "../../traces/clean-text.ts";
import type { ToolDefinition } from "../chat/tool-definitions.ts";
import { toolsIn } from "./chat-rows.ts";
import { Fields, listIn, type Reader, textIn } from "./fields.ts";
import type { Format } from "./format.ts";
import { trainingConversation, trainingMessages } from "./training-rows.ts";

/** Python's names of types, where JSON Schema has one for the same. */
const TYPES: Record<string, string> = {
  str: "string",
  int: "integer",
  float: "number",
  bool: "boolean",
  list: "array",
  dict: "object",
};
const OPTIONAL = /,\s*optional\s*$/;

/** Parameters by their names, which a schema has under `properties`. */
function schemaOf(parameters: Record<string, unknown>): Record<string, unknown> {
  const isSchema = typeof parameters.type === "string" || isObject(parameters.properties);
  if (isSchema || !Object.values(parameters).every(isObject)) return parameters;
  const required: string[] = [];
  const properties = Object.entries(parameters as Record<string, Record<string, unknown>>).map(
    ([name, { type, ...rest }]) => {
      if (typeof type !== "string") return [name, { ...(type !== undefined && { type }), ...rest }];
      const known = type.replace(OPTIONAL, "");
      if (!OPTIONAL.test(type) && rest.default === undefined) required.push(name);
      return [name, { type: Object.hasOwn(TYPES, known) ? TYPES[known] : known, ...rest }];
    },
  );
  return {
    type: "object",
    properties: Object.fromEntries(properties) as Record<string, unknown>,
    ...(required.length > 0 && { required }),
  };
}

const withSchema = (tool: ToolDefinition): ToolDefinition => {
  const parameters = tool.function?.parameters;
  if (tool.function === undefined || !isObject(parameters)) return tool;
  return { ...tool, function: { ...tool.function, parameters: schemaOf(parameters) } };
};

const schemasIn: Reader<ToolDefinition[]> = (value) => toolsIn(value)?.map(withSchema);

/** Rows of a question, the tools there are, and the calls that answer it. */
export const xlam: Format = {
  name: "xlam",
  translation: 1,
  about: "xLAM's rows of query, tools and answers that are calls",
  recognizes: (value) =>
    isObject(value) &&
    textIn(value.query) !== undefined &&
    listIn(value.answers) !== undefined &&
    value.tools !== undefined,
  read: ([value], context) => {
    if (!isObject(value)) return "it is not an object with a query";
    const row = new Fields(value);
    const query = row.take("query", textIn);
    const calls = row.take("answers", listIn);
    if (query === undefined) return "query is not a text";
    if (calls === undefined) return "answers is not a list of calls";
    const messages = trainingMessages([
      { role: "user", content: query },
      { role: "assistant", content: null, ...(calls.length > 0 && { tool_calls: calls }) },
    ]);
    if (typeof messages === "string") return messages.replace(/^conversations\[1\]\.tool_calls/, "answers");
    const tools = row.take("tools", schemasIn);
    return [{ ...trainingConversation(row, messages, context), tools }];
  },
};
