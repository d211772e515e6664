import { isObject } from "../../traces/clean-text.ts";
import type { Fields } from "./fields.ts";
import { listIn, objectIn, textIn } from "./fields.ts";

type Tell = (what: string) => void;

const TEMPLATES =
  "the texts of templates are not in the file: what was filled into them stands as JSON in their place";

const asJson = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** A call as the model made it, and beside it what TensorZero made of that. */
function callPart(part: Record<string, unknown>): Record<string, unknown> {
  const { raw_name, raw_arguments, name, arguments: given, ...rest } = part;
  const isSame =
    raw_arguments === undefined ||
    given == null ||
    JSON.stringify(given) === JSON.stringify(objectIn(raw_arguments) ?? raw_arguments);
  return {
    ...rest,
    type: "tool_call",
    name: name ?? raw_name,
    arguments: given ?? raw_arguments,
    ...(name != null && raw_name !== undefined && raw_name !== name && { raw_name }),
    ...(!isSame && { raw_arguments }),
  };
}

/** An image by its address, by its data, or by where it was put away. */
function imagePart(part: Record<string, unknown>): Record<string, unknown> | undefined {
  const { type: _, url, data, mime_type, ...rest } = part;
  if (typeof url === "string") return { type: "image_url", ...rest, image_url: { url } };
  const isImage = part.type === "image" || String(mime_type).startsWith("image/");
  if (typeof data !== "string" || !isImage) return undefined;
  const mime = String(mime_type ?? "image/png");
  return { type: "image_url", ...rest, image_url: { url: `data:${mime};base64,${data}` } };
}

/** A content block, in a shape that other dialects have too. */
function blockOf(block: unknown, tell: Tell): unknown {
  if (!isObject(block)) return block;
  const { type, ...rest } = block;
  switch (type) {
    case "text": {
      const { text, value, arguments: given, ...others } = rest;
      if (typeof (text ?? value) === "string") return { type: "text", text: text ?? value, ...others };
      tell(TEMPLATES);
      return { type: "text", text: asJson(given ?? value ?? text ?? {}), ...others };
    }
    case "template": {
      const { arguments: given, name, ...others } = rest;
      tell(TEMPLATES);
      return { type: "text", text: asJson(given ?? {}), template: name, ...others };
    }
    case "raw_text":
      return { type: "text", text: asJson(rest.value ?? rest.text ?? "") };
    case "tool_call":
      return callPart(rest);
    case "image":
    case "image_base64":
    case "image_url":
    case "file":
      return imagePart(block) ?? block;
    default:
      return block;
  }
}

/** The message of an input, whose content is a text, a block, or a list of blocks. */
export function messageOf(message: unknown, tell: Tell): unknown[] {
  if (!isObject(message)) return [message];
  const { content } = message;
  if (Array.isArray(content))
    return [{ ...message, content: content.map((block: unknown) => blockOf(block, tell)) }];
  if (!isObject(content)) return [message];
  if (typeof content.type === "string") return [{ ...message, content: [blockOf(content, tell)] }];
  tell(TEMPLATES);
  return [{ ...message, content: asJson(content) }];
}

/** What the system says: a text, or what is filled into its template. */
export function systemOf(input: Fields, tell: Tell): unknown[] {
  const { system } = input.record;
  input.drop("system");
  if (system === undefined || system === null || system === "") return [];
  if (typeof system !== "string") tell(TEMPLATES);
  return [{ role: "system", content: asJson(system) }];
}

/** What a JSON function gave: what the model wrote, and what was parsed of it where that differs. */
function jsonMessage(output: Record<string, unknown>): Record<string, unknown> | undefined {
  const { raw, parsed, ...rest } = output;
  if (raw == null && parsed == null) return undefined;
  const content = raw == null ? JSON.stringify(parsed) : asJson(raw);
  const isSame = JSON.stringify(objectIn(content) ?? listIn(content)) === JSON.stringify(parsed);
  return { role: "assistant", content, ...(!isSame && parsed != null && { parsed }), ...rest };
}

/** Takes the answer of a row: blocks, what a JSON function gave, or none at all. */
export function outputMessages(row: Fields, tell: Tell): unknown[] {
  const name = ["output", "content"].find((each) => row.isLeft(each)) ?? "output";
  const output = row.record[name];
  const blocks = listIn(output);
  if (blocks !== undefined) {
    row.drop(name);
    return blocks.length === 0 ? [] : messageOf({ role: "assistant", content: blocks }, tell);
  }
  const json = objectIn(output);
  const message = json === undefined ? undefined : jsonMessage(json);
  const text = message === undefined ? textIn(output) : undefined;
  if (message === undefined && (text === undefined || json !== undefined)) return [];
  row.drop(name);
  return [message ?? { role: "assistant", content: text }];
}
