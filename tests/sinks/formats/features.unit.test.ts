import { describe, expect, test } from "vitest";
import { type Feature, type Features, featureLines, hasJson } from "../../../sinks/datasets/features.ts";
import { DATASET_FORMATS, formatOf } from "../../../sinks/datasets/formats.ts";
import { manySessions, recordedTrace, said, user } from "./format-sessions.ts";

const TOOLS = [
  {
    type: "function",
    function: { name: "f", description: "d", parameters: { type: "object" }, strict: true },
  },
];

const PLAIN: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  int64: (value) => Number.isSafeInteger(value),
  float64: (value) => typeof value === "number",
  bool: (value) => typeof value === "boolean",
  json: () => true,
};

/** Paths of a value that are not of their type. */
function misfits(value: unknown, of: Feature, path: string): string[] {
  if (value === null || value === undefined) return [];
  if (typeof of === "string") return PLAIN[of]!(value) ? [] : [`${path} is no ${of}`];
  if ("list" in of)
    return Array.isArray(value)
      ? value.flatMap((item: unknown) => misfits(item, of.list, `${path}[]`))
      : [`${path} is no list`];
  return typeof value === "object" ? misfitting(value, of.struct, path) : [`${path} is no struct`];
}

const misfitting = (record: object, features: Features, path = ""): string[] =>
  Object.entries(record).flatMap(([name, value]) => {
    const of = Object.hasOwn(features, name) ? features[name] : undefined;
    return of === undefined ? [`${path}.${name} has no type`] : misfits(value, of, `${path}.${name}`);
  });

/** Each format with each value of each of its options. */
const ALL = DATASET_FORMATS.flatMap((format) => {
  if (!("encode" in format)) return [];
  const choices = "choices" in format ? (format.choices as Record<string, readonly string[]>) : {};
  const options = Object.entries(choices).flatMap(([name, values]) =>
    values.slice(1).map((value) => `${name}=${value}`),
  );
  return [format.name, ...options.map((option) => `${format.name}:${option}`)];
});

describe("the types that a format fixes", () => {
  test.each(ALL)("%s: fit every record, and none is missing", (name) => {
    const format = formatOf(name);
    if (!("encode" in format)) throw new Error("no lines");
    const traces = [...manySessions(), recordedTrace([user("Hi"), said("Hello")], { tools: TOOLS })];
    const lines = [
      ...(format.encodeGroup === undefined
        ? traces.flatMap((trace) => format.encode(trace))
        : [...Map.groupBy(traces, ({ started }) => started?.group_id ?? null)].flatMap(([group, of]) =>
            group === null
              ? of.flatMap((trace) => format.encodeGroup!([trace]).lines)
              : format.encodeGroup!(of).lines,
          )),
    ];
    expect(lines.length).toBeGreaterThan(0);
    const records = lines.map((line) => JSON.parse(line) as object);
    expect([...new Set(records.flatMap((record) => misfitting(record, format.features!)))]).toEqual([]);
    const seen = new Set(records.flatMap((record) => Object.keys(record)));
    expect(Object.keys(format.features!).filter((column) => !seen.has(column))).toEqual([]);
  });

  test("leave nothing open in the formats for TRL where arguments are text", () => {
    const open = (name: string): boolean => {
      const format = formatOf(name);
      return "encode" in format && hasJson(format.features!);
    };
    const trl = DATASET_FORMATS.map(({ name }) => name).filter((name) => name.startsWith("trl-"));
    expect(trl.length).toBeGreaterThan(3);
    expect(trl.map((name) => open(`${name}:arguments=text`))).toEqual(trl.map(() => false));
    expect(trl.map(open)).toEqual(trl.map(() => true));
  });

  test("are said in the YAML of a card", () => {
    const features: Features = {
      task: "string",
      tags: { list: "string" },
      turns: { list: { struct: { role: "string", calls: { list: { list: "int64" } } } } },
      call: { struct: { arguments: "json" } },
    };
    expect(featureLines(features, "  ").join("\n")).toBe(
      `  - name: task
    dtype: string
  - name: tags
    list: string
  - name: turns
    list:
    - name: role
      dtype: string
    - name: calls
      list:
        list: int64
  - name: call
    struct:
    - name: arguments
      dtype: json`,
    );
  });
});
