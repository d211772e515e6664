import { latestSchema } from "../../schemas/codec.ts";
import type { EventType } from "../../schemas/generated/events.ts";
import { topicOf } from "../../schemas/topics.ts";
import { REDACTED } from "./marker.ts";

/**
 * How much of a session is recorded: all of it; all but what people, models and tools said (names stay); or only
 * how it went (ids, times, statuses, counts).
 */
export const CAPTURE_LEVELS = ["full", "no-content", "metadata-only"] as const;
/** One of the levels. */
export type CaptureLevel = (typeof CAPTURE_LEVELS)[number];

/** Lists what stays rather than what goes: a field that is added later is hidden until somebody decides. */
const STRUCTURE = [
  "learning_key",
  "group_id",
  "status",
  "role",
  "lane",
  "verdict",
  "scope",
  "stage",
  "origin",
  "judging",
  "execution_mode",
  "agent_kind",
  "author",
  "adapter",
  "judge",
  "missing",
  "judgements",
  "rules_hash",
  "finish_reason",
  "usage_by_role",
  "prompt_version",
  "call_id",
  "parent_id",
  "continues",
  "field",
];
const NAMES = [
  "agent",
  "name",
  "tool",
  "provider",
  "model",
  "parameters",
  "project",
  "tenant",
  "tags",
  "external_id",
];

const KEPT: Record<Exclude<CaptureLevel, "full">, ReadonlySet<string>> = {
  "no-content": new Set([...STRUCTURE, ...NAMES]),
  "metadata-only": new Set(STRUCTURE),
};

const jsonFields = new Map<EventType, ReadonlySet<string>>();

/** The fields of an event that hold JSON text; their names are found in the schema's own text. */
function jsonFieldsOf(type: EventType): ReadonlySet<string> {
  let fields = jsonFields.get(type);
  if (fields === undefined) {
    const found = new Set<string>();
    JSON.parse(latestSchema(type)?.schema ?? "{}", function (this: Record<string, unknown>, key, value) {
      if (key === "type" && "name" in this && JSON.stringify(value).includes('"logicalType":"json"'))
        found.add(String(this["name"]));
      return value;
    });
    fields = found;
    jsonFields.set(type, fields);
  }
  return fields;
}

/** What is left of JSON: its outermost shape, so that readers find what they expect. */
function emptyJson(text: string): string {
  const first = text.trimStart()[0];
  return first === "{" ? "{}" : first === "[" ? "[]" : JSON.stringify(REDACTED);
}

/**
 * What a level leaves of a text; undefined where it leaves all of it. Only sessions have contents: what was decided
 * or derived is kept.
 */
export function hiddenBy(
  level: CaptureLevel,
  type: EventType,
  field: string,
  text: string,
): string | undefined {
  if (level === "full" || text === "" || topicOf(type) !== "atlas.sessions") return undefined;
  if (KEPT[level].has(field)) return undefined;
  return jsonFieldsOf(type).has(field) ? emptyJson(text) : REDACTED;
}
