import { AtlasError, messageOf } from "../../errors/atlas-error.ts";
import { nestsRepeats } from "../../guards/nested-repeats.ts";
import type { AtlasEvent, EventType } from "../../schemas/generated/events.ts";
import { type Mask, maskedEvent, maskedText } from "../../schemas/masked.ts";
import { type CaptureLevel, hiddenBy } from "./capture-level.ts";
import { DETECTORS, type Detector, type DetectorName } from "./detectors.ts";
import { alsoDisguised, alsoEncoded } from "./encoded.ts";
import { maskText, type TextRules } from "./mask-text.ts";
import { namedValues } from "./named-values.ts";
import { secretNames } from "./secret-names.ts";
import { type Finder, matchesOf, type Span } from "./spans.ts";

/** Where a text stands in an event. */
export interface MaskPlace {
  type: EventType;
  /** Name of the field that holds it. */
  field: string;
}

/** What a mask takes out. */
export interface MaskOptions {
  /** How much of a session is recorded; `full` unless told. */
  level?: CaptureLevel;
  /** Built-in detectors to apply; none unless told. */
  detectors?: readonly DetectorName[];
  /**
   * Names of your own under which everything is secret, as under `password`: keys of JSON, variables, headers, in any
   * case and with any separators.
   */
  names?: readonly string[];
  /**
   * Everything that matches is taken out, of JSON also as it is written: regular expressions, as such or as texts. None may repeat a repetition without
   * limit, as `(a+)+` does.
   */
  patterns?: readonly (RegExp | string)[];
  /** Called once with every text, after the others; returns what is written. */
  custom?: (text: string, place: MaskPlace) => string;
}

/** Fields that hold ids, and what an id looks like: anything else in them is masked like any text. */
const IDS: ReadonlySet<string> = new Set([
  "event_id",
  "session_id",
  "source",
  "causation_id",
  "trace_id",
  "call_id",
  "parent_id",
  "continues",
  "judgements",
  "overrode",
  "rules_hash",
  "digest",
  "dataset_digest",
  "fingerprint",
]);
const LOOKS_LIKE_ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{32,64})$/;

const unusable = (why: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_CONFIG_INVALID", `a mask's pattern cannot be used: ${why}`, { hint });

function compiled(pattern: RegExp | string): RegExp {
  const flags = typeof pattern === "string" ? "gu" : `${pattern.flags.replace(/[gy]/g, "")}g`;
  const source = typeof pattern === "string" ? pattern : pattern.source;
  let made: RegExp;
  try {
    made = new RegExp(source, flags);
  } catch (error) {
    throw unusable(messageOf(error), "Write a JavaScript regular expression, without slashes.");
  }
  if (nestsRepeats(source)) {
    const hint = "Limit the outer repetition, as in (a+){1,8}.";
    throw unusable("it repeats a repetition without limit, as (a+)+ does, which can take for ever", hint);
  }
  return made;
}

type MaskField = (text: string, field: string) => string;

/** A copy of a value with every text masked; the value itself where nothing changed. */
function walk(value: unknown, field: string, mask: MaskField): unknown {
  if (typeof value === "string") return mask(value, field);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, inner] of Object.entries(value)) {
    const masked = walk(inner, Array.isArray(value) ? field : key, mask);
    if (masked === inner) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = masked;
  }
  return copy ?? value;
}

const allOf =
  (finders: readonly Finder[]): Finder =>
  (text) => {
    let spans: Span[] = [];
    for (const finder of finders) {
      const found = finder(text);
      if (spans.length === 0) spans = found;
      else if (found.length > 0) spans = spans.concat(found);
    }
    return spans;
  };

/** What a mask's options take out of texts; undefined where that is nothing. */
export function rulesOf({ detectors = [], patterns = [], names = [] }: MaskOptions): TextRules | undefined {
  const chosen = detectors.map((name): Detector => DETECTORS[name]);
  const isSecret = secretNames({
    secrets: chosen.some(({ naming }) => naming === "secrets"),
    apiKeys: chosen.some(({ naming }) => naming === "api keys"),
    names,
  });
  const matchers = patterns.map((pattern) => matchesOf(compiled(pattern)));
  const finders = [
    ...chosen.flatMap((detector) => detector.finders),
    ...matchers,
    ...(isSecret === undefined ? [] : [namedValues(isSecret)]),
  ];
  if (finders.length === 0) return undefined;
  return {
    finder: alsoEncoded(alsoDisguised(allOf(finders))),
    patterns: matchers.length === 0 ? undefined : allOf(matchers),
    isSecret,
    cleanKeys: new Set(),
  };
}

/**
 * Makes the mask of a log: every text of every event goes through it before anything is written, shown or judged.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID for a pattern that is none, or could take for ever
 * @example
 * const atlas = await openAtlas(undefined, { mask: createMask({ detectors: ["api_key", "email"] }) });
 */
export function createMask(options: MaskOptions): Mask {
  const { level = "full", custom } = options;
  const rules = rulesOf(options);

  return (event) => {
    const { type, ...rest } = event;
    const masked = walk(rest, "", (text, field) => {
      if (IDS.has(field) && LOOKS_LIKE_ID.test(text)) return text;
      const hidden = hiddenBy(level, type, field, text);
      const left = rules === undefined ? (hidden ?? text) : maskText(hidden ?? text, rules);
      return custom === undefined ? left : maskedText(custom(left, { type, field }));
    });
    return masked === rest ? event : ({ type, ...(masked as object) } as AtlasEvent);
  };
}

/** One mask after the other; undefined where there is none. */
export function chainMasks(...masks: readonly (Mask | undefined)[]): Mask | undefined {
  const given = masks.filter((mask) => mask !== undefined);
  if (given.length <= 1) return given[0];
  return (event) => given.reduce((masked, mask) => maskedEvent(masked, mask(masked)), event);
}
