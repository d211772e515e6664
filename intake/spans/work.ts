import type { Micros } from "../../schemas/generated/events.ts";
import type { RecordedScore, RecordedUsage } from "../formats/format.ts";
import type { Said } from "./said.ts";

/** What a span stands for. */
export type WorkKind = "model" | "tool" | "agent" | "other";

/** A run of a tool. */
export interface ToolRun {
  id?: string | undefined;
  name: string;
  arguments?: unknown;
  result?: unknown;
}

/** A piece of an agent's work: what a span, an observation or a run says, whoever recorded it. */
export interface Work {
  traceId: string;
  id: string;
  parentId?: string | undefined;
  name: string;
  kind: WorkKind;
  start?: Micros | undefined;
  end?: Micros | undefined;
  /** Why it failed; undefined where it did not. */
  error?: string | undefined;
  agent?: string | undefined;
  model?: string | undefined;
  said: Said;
  /** Of a tool; of other work what it would be, since not all that record tools say so. */
  tool?: ToolRun | undefined;
  usage?: RecordedUsage | undefined;
  /** US dollars. */
  cost?: number | undefined;
  scores?: RecordedScore[] | undefined;
  /** Fields that hold what was said: what of them is in the conversation is not kept a second time. */
  spoken: Record<string, unknown>;
  /** All other fields. */
  rest: Record<string, unknown>;
}
