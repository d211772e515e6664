import { messageOf } from "../../errors/atlas-error.ts";
import type { EventLog, UnitReport } from "../../log/event-log.ts";
import type { GuardedLogger } from "../../logging/guard-logger.ts";
import { defaultLogger } from "../../logging/process-warnings.ts";
import type { AtlasEvent } from "../../schemas/generated/events.ts";
import { SessionSpans } from "./session-spans.ts";
import { unitSpan } from "./unit-span.ts";

/** Turns what one session records into spans. */
export interface SessionTelemetry {
  /** Takes the session's next masked event. Does no I/O and never throws. */
  add(event: AtlasEvent): void;
  /** Says that no more events come. Does no I/O and never throws. */
  end(): void;
}

/** Turns what sessions record, and what consumers do, into spans. */
export interface Telemetry {
  /** Begins a session; nothing of it is kept here. */
  session(): SessionTelemetry;
  /** Takes how a unit of work of a consumer went. Does no I/O and never throws. */
  unit(group: string, log: Pick<EventLog, "kind">, report: UnitReport): void;
  /** Sends what waits. Never throws. */
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const isTrue = (value: string | undefined): boolean => value?.trim().toLowerCase() === "true";

/** Whether OpenTelemetry's variables ask for spans, and how they are to travel. */
function wanted(env: Environment): { protocol: string } | undefined {
  const endpoint = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  if (!endpoint?.trim() || isTrue(env["OTEL_SDK_DISABLED"])) return undefined;
  if (env["OTEL_TRACES_EXPORTER"]?.trim() === "none") return undefined;
  const configured = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] || env["OTEL_EXPORTER_OTLP_PROTOCOL"];
  return { protocol: configured?.trim() || "http/protobuf" };
}

/** Warns of the first failure only: a collector that is gone stays gone for a while. */
function warnOnce(logger: GuardedLogger): (why: unknown) => void {
  let warned = false;
  return (why) => {
    if (warned) return;
    warned = true;
    const code = "ATLAS_TELEMETRY_FAILED";
    const says = logger.of("telemetry");
    if (typeof why === "string") says.warn({ code }, `spans could not be sent: ${why}`);
    else says.warn({ code, err: why }, "spans could not be sent");
  };
}

/**
 * Opens telemetry where the environment names an OTLP endpoint. Nothing of OpenTelemetry is loaded otherwise.
 *
 * @returns undefined where none is wanted
 * @example
 * const telemetry = await openTelemetry(process.env);
 * const spans = telemetry?.session();
 * spans?.add(event);
 */
export async function openTelemetry(
  env: Environment,
  logger: GuardedLogger = defaultLogger,
): Promise<Telemetry | undefined> {
  const asked = wanted(env);
  if (asked === undefined) return undefined;
  const failed = warnOnce(logger);
  if (asked.protocol !== "http/protobuf") {
    failed(
      `the protocol ${asked.protocol} is not spoken here; set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf`,
    );
    return undefined;
  }
  try {
    const { openOtlpExporter } = await import("./otlp-exporter.ts");
    const exporter = openOtlpExporter(failed);
    const capture = isTrue(env["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"]);
    const safely = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        failed(messageOf(error));
      }
    };
    return {
      session() {
        const spans = new SessionSpans((span) => exporter.send(span), { capture });
        return { add: (event) => safely(() => spans.add(event)), end: () => safely(() => spans.end()) };
      },
      unit: (group, log, report) => safely(() => exporter.send(unitSpan(group, log, report))),
      close: () => exporter.close(),
    };
  } catch (error) {
    failed(error);
    return undefined;
  }
}
