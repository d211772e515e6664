import { createHash } from "node:crypto";
import type { JsonText, Micros } from "../../schemas/generated/events.ts";
import { learningKeyProblem } from "../../schemas/learning-key.ts";
import { stableJson } from "../../schemas/rules.ts";
import type { SessionStatus } from "../../schemas/vocabulary.ts";
import { depthOf, elementsOf, membersOf } from "./json-slices.ts";
import { type RecordedChat, type RecordedJson, rowProblem, rowSchema } from "./recorded-schema.ts";
import { microsOf } from "./recorded-time.ts";

/** Deeper rows are refused: JSON readers of other languages, and of Postgres, give up at about a thousand. */
const MAX_DEPTH = 512;

const KNOWN = new Set(Object.keys(rowSchema.shape));

/** Learning keys are keys of topics and of database indexes. */

/** One message of a recorded conversation. */
export interface RecordedMessage {
  /** The text that it was written in. */
  raw: JsonText;
  value: RecordedChat;
  /** When it was said, where that was recorded. */
  at: Micros | undefined;
}

/** One recorded conversation. */
export interface RecordedRow {
  /** SHA-256 of the whole row's value: white space and the order of keys do not count. */
  contentHash: string;
  id: string | undefined;
  task: string;
  messages: RecordedMessage[];
  /** 0 to 1; undefined where none was recorded. */
  reward: number | undefined;
  status: SessionStatus;
  startedAt: Micros | undefined;
  /** The recorded metadata as it was written; fields of the row that have no meaning here are kept in it. */
  metadata: JsonText | undefined;
  agent: string;
  tags: string[];
  tenant: string | undefined;
  project: string | undefined;
  learningKey: string | undefined;
}

/**
 * Reads one recorded conversation.
 *
 * @returns the conversation, or why it is none
 * @example
 * const row = readRow('{"messages": [{"role": "user", "content": "hi"}]}');
 * if (typeof row === "string") console.error(row);
 */
export function readRow(source: string): RecordedRow | string {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    return `it is not valid JSON: ${syntaxProblem(error as SyntaxError)}`;
  }
  if (depthOf(source) > MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} levels deep`;
  const problem = rowProblem(value);
  if (problem !== undefined) return problem;

  // What was parsed is used, not the checked copy, which loses keys such as __proto__.
  const row = value as RecordedJson;
  const task = row.task || textOf(row.messages.find(({ role }) => role === "user"));
  if (task === undefined || task === "") return "it has neither a task nor a user's message";
  const members = membersOf(source);
  const raws = elementsOf(members.get("messages")!);
  const metadata: Record<string, unknown> = row.metadata ?? {};
  const label = (...values: unknown[]) =>
    values.find((found) => typeof found === "string" && found !== "") as string | undefined;
  const learningKey = label(metadata.learning_key_override, metadata.learning_key);
  const keyProblem = learningKey === undefined ? undefined : learningKeyProblem(learningKey);
  if (keyProblem !== undefined) return `metadata.learning_key ${keyProblem}`;
  return {
    contentHash: createHash("sha256").update(canonical(source, value)).digest("hex"),
    id: typeof row.id === "number" ? members.get("id") : (row.id ?? undefined),
    task,
    messages: row.messages.map((message, index) => ({
      raw: raws[index]!,
      value: message,
      at: timeOf(message),
    })),
    reward: row.reward ?? undefined,
    status: row.status ?? "succeeded",
    startedAt: timeOf(row),
    metadata: metadataText(members, metadata),
    agent: label(metadata.agent, metadata.model, row.agent, row.model) ?? "recorded",
    tags: Array.isArray(metadata.tags) ? metadata.tags.filter((tag) => typeof tag === "string") : [],
    tenant: label(metadata.tenant_id, metadata.tenant),
    project: label(metadata.project),
    learningKey,
  };
}

/** The text of a message: its parts one below the other, or the refusal; undefined where it has none. */
export function textOf(message: RecordedChat | undefined): string | undefined {
  const content = message?.content ?? message?.refusal;
  if (content === undefined || content === null || typeof content === "string") return content ?? undefined;
  const texts = content
    .map((part) => (typeof part === "string" ? part : (part.text ?? part.refusal)))
    .filter((found): found is string => typeof found === "string");
  return texts.length === 0 ? undefined : texts.join("\n");
}

const timeOf = (record: { created_at?: unknown; timestamp?: unknown }): Micros | undefined =>
  microsOf(record.created_at) ?? microsOf(record.timestamp);

/** Node's messages quote what surrounds the fault: a report of problems must not repeat recorded content. */
const syntaxProblem = ({ message }: SyntaxError): string => message.split(', "')[0]!.split(", ...")[0]!;

/** Numbers that JavaScript cannot hold exactly count with all their digits. */
function canonical(source: string, value: unknown): string {
  if (!/\d{16}|\d[eE][+-]?\d{3}/.test(source)) return stableJson(value);
  const revive = (_key: string, inner: unknown, context: { source?: string }): unknown =>
    typeof inner === "number" && context.source !== undefined && !isExact(inner, context.source)
      ? { digits: context.source }
      : inner;
  return stableJson(JSON.parse(source, revive as (this: unknown, key: string, value: unknown) => unknown));
}

const isExact = (value: number, written: string): boolean =>
  Number.isFinite(value) && (String(value) === written || written.replace(/[^\d]/g, "").length <= 15);

function metadataText(members: Map<string, string>, metadata: Record<string, unknown>): JsonText | undefined {
  const recorded = members.get("metadata");
  const own = recorded === "null" ? undefined : recorded;
  const others = [...members].filter(([name]) => !KNOWN.has(name));
  if (others.length === 0) return own;
  let name = "recorded";
  while (Object.hasOwn(metadata, name)) name += "_";
  const fields = others.map(([key, raw]) => `${JSON.stringify(key)}:${raw}`).join(",");
  const inner = own?.slice(1, -1).trim() ?? "";
  return `{${inner}${inner === "" ? "" : ","}"${name}":{${fields}}}`;
}
