/** A moment of the recordings, in nanoseconds as OTLP writes them. */
export const nanos = (seconds: number): string => `${1_760_000_000 + seconds}000000000`;
/** The same moment in microseconds. */
export const micros = (seconds: number): number => (1_760_000_000 + seconds) * 1_000_000;

const written = (value: unknown): unknown => {
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number")
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: (value as unknown[]).map(written) } };
  if (typeof value === "object") return { kvlistValue: { values: listOf(value as Record<string, unknown>) } };
  return { stringValue: value };
};

/** Attributes as OTLP writes them. */
export const listOf = (attributes: Record<string, unknown>): unknown[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: written(value) }));

interface Given {
  trace?: string;
  id: string;
  parent?: string;
  name?: string;
  from: number;
  to: number;
  attributes: Record<string, unknown>;
  events?: { name: string; attributes: Record<string, unknown> }[];
  status?: { code: number; message?: string };
}

/** A span in OTLP/JSON. */
export const spanOf = ({ trace = "a1".repeat(16), id, parent, from, to, ...given }: Given) => ({
  traceId: trace,
  spanId: id,
  parentSpanId: parent ?? "",
  name: given.name ?? id,
  kind: 3,
  startTimeUnixNano: nanos(from),
  endTimeUnixNano: nanos(to),
  attributes: listOf(given.attributes),
  ...(given.events && {
    events: given.events.map(({ name, attributes }) => ({
      name,
      timeUnixNano: nanos(from),
      attributes: listOf(attributes),
    })),
  }),
  status: given.status ?? {},
});

/** A batch of spans as an exporter writes it. */
export const batchOf = (...spans: unknown[]) => ({
  resourceSpans: [
    {
      resource: {
        attributes: listOf({ "service.name": "harbour-desk", "telemetry.sdk.language": "python" }),
      },
      scopeSpans: [{ scope: { name: "harbour.tracing", version: "0.4.1" }, spans }],
    },
  ],
});

export const text = (content: string) => ({ type: "text", content });
export const turn = (role: string, ...parts: unknown[]) => ({ role, parts });
export const callPart = (id: string, name: string, args: unknown) => ({
  type: "tool_call",
  id,
  name,
  arguments: args,
});
export const resultPart = (id: string, response: unknown) => ({ type: "tool_call_response", id, response });
