import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";

/** A field of a protobuf message: its number, and a number or the bytes of it. */
type Field = [number, bigint | Buffer];

function varint(bytes: Buffer, from: number): [bigint, number] {
  let value = 0n;
  for (let at = from, shift = 0n; ; at++, shift += 7n) {
    value |= BigInt(bytes[at]! & 0x7f) << shift;
    if (bytes[at]! < 0x80) return [value, at + 1];
  }
}

/** The fields of a protobuf message, in their order. */
function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, next] = varint(bytes, at);
    const number = Number(tag >> 3n);
    const wire = Number(tag & 7n);
    if (wire === 0) {
      const [value, end] = varint(bytes, next);
      fields.push([number, value]);
      at = end;
    } else if (wire === 2) {
      const [length, start] = varint(bytes, next);
      at = start + Number(length);
      fields.push([number, bytes.subarray(start, at)]);
    } else {
      at = next + (wire === 1 ? 8 : 4);
      fields.push([number, bytes.subarray(next, at)]);
    }
  }
  return fields;
}

const all = (fields: readonly Field[], number: number): Buffer[] =>
  fields.filter(([field]) => field === number).map(([, value]) => value as Buffer);
const text = (fields: readonly Field[], number: number): string => all(fields, number)[0]?.toString() ?? "";

function anyValue(bytes: Buffer): unknown {
  const [field] = fieldsOf(bytes);
  if (field === undefined) return undefined;
  const [number, value] = field;
  if (number === 1) return (value as Buffer).toString();
  if (number === 2) return value === 1n;
  if (number === 3) return Number(value);
  if (number === 4) return (value as Buffer).readDoubleLE();
  return all(fieldsOf(value as Buffer), 1).map(anyValue);
}

const attributesOf = (entries: readonly Buffer[]): Record<string, unknown> =>
  Object.fromEntries(
    entries.map(fieldsOf).map((entry) => [text(entry, 1), anyValue(all(entry, 2)[0] ?? Buffer.alloc(0))]),
  );

/** A span, as the collector got it. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentId: string;
  name: string;
  /** 1 internal, 3 client. */
  kind: number;
  /** Nanoseconds. */
  from: bigint;
  until: bigint;
  attributes: Record<string, unknown>;
  events: { name: string; attributes: Record<string, unknown> }[];
  /** 0 unset, 2 error. */
  status: number;
  message: string;
  resource: Record<string, unknown>;
}

function spanOf(bytes: Buffer, resource: Record<string, unknown>): ReceivedSpan {
  const fields = fieldsOf(bytes);
  const status = fieldsOf(all(fields, 15)[0] ?? Buffer.alloc(0));
  const code = status.find(([number]) => number === 3)?.[1];
  const kind = fields.find(([number]) => number === 6)?.[1];
  return {
    traceId: all(fields, 1)[0]?.toString("hex") ?? "",
    spanId: all(fields, 2)[0]?.toString("hex") ?? "",
    parentId: all(fields, 4)[0]?.toString("hex") ?? "",
    name: text(fields, 5),
    kind: Number(kind ?? 0),
    from: all(fields, 7)[0]!.readBigUInt64LE(),
    until: all(fields, 8)[0]!.readBigUInt64LE(),
    attributes: attributesOf(all(fields, 9)),
    events: all(fields, 11)
      .map(fieldsOf)
      .map((event) => ({ name: text(event, 2), attributes: attributesOf(all(event, 3)) })),
    status: Number(code ?? 0),
    message: text(status, 2),
    resource,
  };
}

function spansOf(body: Buffer): ReceivedSpan[] {
  return all(fieldsOf(body), 1).flatMap((resourceSpans) => {
    const fields = fieldsOf(resourceSpans);
    const resource = attributesOf(all(fieldsOf(all(fields, 1)[0] ?? Buffer.alloc(0)), 1));
    const scopes = all(fields, 2).map(fieldsOf);
    return scopes.flatMap((scope) => all(scope, 2).map((span) => spanOf(span, resource)));
  });
}

/** A collector on loopback that takes OTLP over HTTP, as protobuf. */
export interface OtlpReceiver extends AsyncDisposable {
  url: string;
  spans: ReceivedSpan[];
  requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[];
}

/** Starts a collector; what it is asked can be held up for ever. */
export async function startReceiver({ silent = false } = {}): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: OtlpReceiver["requests"] = [];
  const server = createServer(async (request, response) => {
    const sent = await buffer(request);
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
    requests.push({ path: request.url ?? "", headers: request.headers, body });
    if (silent) return;
    for (const span of spansOf(body)) spans.push(span);
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
