import { join } from "node:path";
import type { AtlasConfig } from "../configs/config-schema.ts";
import { AtlasError } from "../errors/atlas-error.ts";
import { chainMasks, createMask } from "../recording/masking/create-mask.ts";
import { createEvent } from "../schemas/codec.ts";
import { newId, nowMicros } from "../schemas/identity.ts";
import type { Mask, Masking } from "../schemas/masked.ts";

/** What everything goes through that a configuration's log takes: the caller's mask, and then the configured one. */
export function maskOf({ capture }: Pick<AtlasConfig, "capture">, own?: Mask): Mask | undefined {
  const { level, mask, names, patterns } = capture;
  const takesOut = level !== "full" || mask.length > 0 || names.length > 0 || patterns.length > 0;
  return chainMasks(own, takesOut ? createMask({ level, detectors: mask, names, patterns }) : undefined);
}

/** Where a configuration's events wait while its log does not answer. */
export function spoolFolderOf({ log, spool }: Pick<AtlasConfig, "log" | "spool">): string {
  return spool.path ?? join(log.kind === "embedded" ? log.path : ".atlas", "spool");
}

/** An error as it may be shown: its texts went through the mask, and what caused it is left out. */
export function maskError(error: AtlasError, mask: Masking): AtlasError {
  const { code, where, hint, retryable, retryAfterMs } = error;
  const shown = (text: string): string => {
    const id = newId();
    const meta = { event_id: id, session_id: id, source: id, sequence: 1, occurred_at: nowMicros() };
    const draft = { learning_key: "", status: "failed", error: text };
    try {
      const event = mask(createEvent("SessionEnded", { ...meta, time_assumed: false }, draft));
      return event.error ?? "";
    } catch {
      return "the reason could not be masked";
    }
  };
  return new AtlasError(code, shown(error.message), {
    ...(where !== undefined && { where: shown(where) }),
    ...(hint !== undefined && { hint }),
    retryable,
    retryAfterMs,
  });
}
