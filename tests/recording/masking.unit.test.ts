import { expect, test } from "vitest";
import { captureSchema } from "../../configs/capture-schema.ts";
import { isAtlasError } from "../../errors/atlas-error.ts";
import { CAPTURE_LEVELS } from "../../recording/masking/capture-level.ts";
import { chainMasks, createMask } from "../../recording/masking/create-mask.ts";
import { DETECTOR_NAMES, type DetectorName } from "../../recording/masking/detectors.ts";
import { REDACTED } from "../../recording/masking/marker.ts";
import { createEvent, encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, EventOf } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { maskingBy } from "../../schemas/masked.ts";

const session = newId();
const meta = () => ({
  event_id: newId(),
  session_id: session,
  source: session,
  sequence: 1,
  occurred_at: 1,
  time_assumed: false,
  trace_id: session.replaceAll("-", ""),
});
const textEvent = (reason: string) => createEvent("StepSkipped", meta(), { step_id: 1, reason });
const masks = (name: DetectorName, text: string): string =>
  (createMask({ detectors: [name] })(textEvent(text)) as EventOf<"StepSkipped">).reason;

test.each<[DetectorName, string]>([
  ["api_key", `sk-${"proj-Ab1".repeat(4)}`],
  ["api_key", `sk-ant-api03-${"x9".repeat(20)}`],
  ["api_key", "AKIAIOSFODNN7EXAMPLE"],
  ["api_key", `ghp_${"a1".repeat(18)}`],
  ["api_key", `AIza${"b".repeat(35)}`],
  ["api_key", `xoxb-${"1".repeat(12)}-abc`],
  ["api_key", `hf_${"a".repeat(34)}`],
  ["api_key", `sk_live_${"a".repeat(24)}`],
  ["api_key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nab+/=\n-----END RSA PRIVATE KEY-----"],
  ["api_key", "-----BEGIN PRIVATE KEY-----\nMIIE, and then it was cut"],
  ["email", "jane.doe+atlas@mail.example.org"],
  ["card", "4111 1111 1111 1111"],
  ["card", "378282246310005"],
  ["jwt", `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${"s".repeat(20)}`],
])("%s is taken out of a text, and nothing beside it (%s)", (name, secret) => {
  expect(masks(name, `a ${secret}`)).toBe(`a ${REDACTED}`);
  expect(masks(name, `(${secret})`)).not.toContain(secret.slice(-8, -1));
});

test.each<[DetectorName, string]>([
  ["api_key", "risk-management-and-more-of-that"],
  ["card", "4111 1111 1111 1112"],
  ["card", "at 1732320000000000 the task-4111111111111111-x ended"],
  ["card", session],
  ["email", "npm install left-pad@1.3.0"],
  ["jwt", "eyJ is how they begin"],
])("%s leaves alone what only looks alike (%s)", (name, text) => {
  expect(masks(name, text)).toBe(text);
});

test("in JSON, also within JSON, values are masked however they are escaped, and all else stays as it was", () => {
  const inner = JSON.stringify({ note: `line\n${"sk-"}${"a".repeat(20)}`, n: 1 });
  const text = `{ "to": "jane\\u0040mail.example",  "big": 12345678901234567890, "one": 1.0,\n "card": 4111111111111111, "inner": ${JSON.stringify(inner)} }`;
  const mask = createMask({ detectors: ["api_key", "email", "card"] });
  const { arguments: masked } = mask(
    createEvent("ToolCallStarted", meta(), { call_id: "c", name: "send", arguments: text }),
  ) as EventOf<"ToolCallStarted">;
  expect(masked).toBe(
    `{ "to": "${REDACTED}",  "big": 12345678901234567890, "one": 1.0,\n "card": "${REDACTED}", "inner": ${JSON.stringify(`{"note":"line\\n${REDACTED}","n":1}`)} }`,
  );
});

test("custom patterns and functions apply", () => {
  const mask = createMask({
    patterns: ["R[A-Z]+", /cust-\d+/gi, "x*"],
    custom: (text, { type, field }) => (field === "reason" ? text.replace("never", `not in ${type}`) : text),
  });
  const once = mask(textEvent("CUST-12 never RED")) as EventOf<"StepSkipped">;
  expect(once.reason).toBe(`${REDACTED} not in StepSkipped ${REDACTED}`);
  expect(() => createMask({ patterns: ["("] })).toThrow(/pattern/);
});

test("a pattern that matches ids leaves ids alone, and takes anything else out of their fields", () => {
  const mask = createMask({ patterns: ["[0-9a-f]{4,}", "CANARY"] });
  const event = mask({ ...textEvent("beef CANARY"), meta: { ...meta(), trace_id: "CANARY" } });
  expect(event.meta).toMatchObject({ session_id: session, source: session, trace_id: REDACTED });
  expect((event as EventOf<"StepSkipped">).reason).toBe(`${REDACTED} ${REDACTED}`);
});

test("a mask that throws writes nothing, and its error does not say what it was given", () => {
  const mask = createMask({ custom: (text) => String(JSON.parse(`{${text}`)) });
  let failure: unknown;
  try {
    maskingBy(mask)(textEvent("CANARY"));
  } catch (error) {
    failure = error;
  }
  expect(isAtlasError(failure, "ATLAS_MASK_FAILED")).toBe(true);
  expect(JSON.stringify(failure) + String(failure) + String((failure as Error).cause)).not.toContain(
    "CANARY",
  );
});

test.each<[string, unknown]>([
  ["undefined", undefined],
  ["number", 7],
  ["a promise", Promise.resolve("CANARY")],
  ["object", { text: "CANARY" }],
  ["null", null],
])("a mask that returns %s for a text is named as the fault", (kind, returned) => {
  const mask = createMask({ custom: () => returned as string });
  expect(() => maskingBy(mask)(textEvent("CANARY"))).toThrow(
    expect.objectContaining({
      code: "ATLAS_MASK_FAILED",
      message: `the mask function returned ${kind}, and a text is wanted`,
    }),
  );
});

test("so is a mask of one's own that returns no event of the kind", () => {
  for (const returned of [undefined, {}, [textEvent("CANARY")], { type: "StepEnded" }])
    expect(() => maskingBy(() => returned as never)(textEvent("CANARY"))).toThrow(
      expect.objectContaining({
        code: "ATLAS_MASK_FAILED",
        message: expect.stringMatching(/an event of the type StepSkipped is wanted/),
      }),
    );
});

test("so is one that leaves something else in a list or deeper, where a schema would be blamed for it", () => {
  const started = createEvent("SessionStarted", textEvent("").meta, {
    ...{ task: "t", learning_key: "k", agent: "a", tags: ["x", "y"] },
  });
  const faults: [unknown, string | undefined][] = [
    [
      { ...started, tags: ["x", undefined] },
      "the mask returned undefined in `tags[1]`, and a text is wanted",
    ],
    [{ ...started, tags: [null] }, "the mask returned null in `tags[0]`, and a text is wanted"],
    [{ ...started, tags: ["x"] }, undefined],
    [{ ...started, project: null }, undefined],
  ];
  for (const [returned, message] of faults) {
    const masked = () => maskingBy(() => returned as never)(started);
    if (message === undefined) expect(masked()).toBe(returned);
    else expect(masked).toThrow(expect.objectContaining({ code: "ATLAS_MASK_FAILED", message }));
  }
});

test("so is one that leaves something else in the place of a text, or of what says which event it is", () => {
  const event = textEvent("CANARY");
  const faults: [unknown, string][] = [
    [{ ...event, reason: { text: "CANARY" } }, "the mask returned object in `reason`, and a text is wanted"],
    [{ ...event, reason: undefined }, "the mask returned undefined in `reason`, and a text is wanted"],
    [
      { ...event, meta: { ...event.meta, session_id: 7 } },
      "the mask returned number in `meta.session_id`, and a text is wanted",
    ],
    [
      { type: "StepSkipped", reason: "" },
      "the mask returned an event of the type StepSkipped without `meta`",
    ],
  ];
  for (const [returned, message] of faults)
    expect(() => maskingBy(() => returned as never)(event)).toThrow(
      expect.objectContaining({ code: "ATLAS_MASK_FAILED", message }),
    );
});

test("of two masks the one that returned no event is named, not the one that was given it", () => {
  const configured = createMask({ detectors: ["email"] });
  for (const returned of [undefined, Promise.resolve(textEvent("CANARY"))])
    expect(() => maskingBy(chainMasks(() => returned as never, configured))(textEvent("CANARY"))).toThrow(
      expect.objectContaining({
        code: "ATLAS_MASK_FAILED",
        message: expect.stringMatching(/^the mask returned (undefined|a promise), and an event/),
      }),
    );
});

test("levels keep how a session went and hide what was said; what stays is valid", () => {
  const started = createEvent("SessionStarted", meta(), {
    task: "the task",
    learning_key: "k",
    agent: "mine",
    tags: ["tag"],
    metadata: '{"a":1}',
  });
  const call = createEvent("ModelCallStarted", meta(), {
    call_id: newId(),
    role: "student",
    provider: "openai",
    model: "m",
    messages: '[{"role":"user","content":"hello"}]',
  });
  const at = <T extends AtlasEvent>(level: (typeof CAPTURE_LEVELS)[number], event: T) => {
    const masked = createMask({ level })(event) as T;
    encodeEvent(masked);
    return masked;
  };
  expect(at("full", started)).toEqual(started);
  expect(at("no-content", started)).toMatchObject({
    task: REDACTED,
    learning_key: "k",
    agent: "mine",
    tags: ["tag"],
    metadata: "{}",
    origin: "run",
  });
  expect(at("metadata-only", started)).toMatchObject({
    learning_key: "k",
    agent: REDACTED,
    tags: [REDACTED],
  });
  expect(at("no-content", call)).toMatchObject({ messages: "[]", provider: "openai", role: "student" });
  const rules = createEvent("RulesSet", meta(), { rules_hash: "a".repeat(64), rules: '{"x":1}' });
  expect(at("metadata-only", rules)).toEqual(rules);
});

test("the configuration names the same detectors and levels", () => {
  expect(captureSchema.shape.level.unwrap().options).toEqual([...CAPTURE_LEVELS]);
  expect(captureSchema.shape.mask.unwrap().element.options).toEqual(DETECTOR_NAMES);
  expect(captureSchema.safeParse({ names: ["ssn"] }).success).toBe(true);
  expect(captureSchema.safeParse({ names: ["-"] }).success).toBe(false);
});
