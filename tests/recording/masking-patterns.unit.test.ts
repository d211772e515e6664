import { expect, test } from "vitest";
import { createMask } from "../../recording/masking/create-mask.ts";
import { REDACTED } from "../../recording/masking/marker.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { EventOf } from "../../schemas/generated/events.ts";
import { newId } from "../../schemas/identity.ts";
import { maskingBy } from "../../schemas/masked.ts";
import { joinContent, splitContent } from "../../traces/content.ts";
import { maskedReason } from "./masked-text.ts";

test.each([
  [
    `password["']?\\s*[:=]\\s*["']?\\w+`,
    '{"password":"hunter2 etc","n":1}',
    `{"${REDACTED}":"${REDACTED} etc","n":1}`,
  ],
  ['"ssn":"\\d+"', '{"ssn":"123","pad":"x"}', `{"${REDACTED}":"${REDACTED}","pad":"x"}`],
  ['"ssn":\\s*\\d+', '{"ssn": 123,"pad":456}', `{"${REDACTED}": "${REDACTED}","pad":456}`],
  ['(?<="ssn":")\\d+', '{"ssn":"123","id":"123"}', `{"ssn":"${REDACTED}","id":"123"}`],
  ['"paid":true', '{"paid":true,"open":true}', `{"${REDACTED}":"${REDACTED}","open":true}`],
  [
    "1.*4",
    '{"a":[1,{"b":"\\u0041\\n"},null,4],"c":5}',
    `{"a":["${REDACTED}",{"${REDACTED}":"${REDACTED}"},"${REDACTED}","${REDACTED}"],"c":5}`,
  ],
  ['"to":"a', '{"to":"a\\n\\"b"}', `{"${REDACTED}":"${REDACTED}\\n\\"b"}`],
  [
    "[0-9]{4}",
    '{"a":"\\u00e91234","b":1234,"c":"[1234]"}',
    `{"a":"é${REDACTED}","b":"${REDACTED}","c":"[\\"${REDACTED}\\"]"}`,
  ],
  ["n[a-z]+", '{"a":"\\nabc nabc"}', `{"a":"\\nabc ${REDACTED}"}`],
  ['[":,{}]+', '{"a":"b","c":"d"}', '{"a":"b","c":"d"}'],
  [
    '"ssn":"\\d+"',
    'got {"ssn":"1","n":2} and "ssn":"3"',
    `got {"${REDACTED}":"${REDACTED}","n":2} and ${REDACTED}`,
  ],
  [
    '"ssn":"\\d+"',
    JSON.stringify({ body: '{"ssn":"1"}' }),
    JSON.stringify({ body: `{"${REDACTED}":"${REDACTED}"}` }),
  ],
])("%s over %s: what matches goes, and JSON stays JSON", (pattern, text, left) => {
  expect(maskedReason({ patterns: [pattern] }, text)).toBe(left);
  expect(maskedReason({ patterns: [pattern] }, left)).toBe(left);
});

test("what is recorded in parts and joined again is what the mask made of the whole, and JSON where that was", () => {
  const row = (index: number): object => ({
    ssn: `${index}`,
    password: "hunter2",
    card: 4111111111111111,
    pad: "x".repeat(90),
  });
  const rows = Array.from({ length: 5000 }, (_, index) => row(index));
  const session = newId();
  let sequence = 0;
  const meta = () => {
    sequence += 1;
    const own = { event_id: newId(), session_id: session, source: session, sequence };
    return { ...own, occurred_at: 1, time_assumed: false };
  };
  const mask = maskingBy(createMask({ detectors: ["secret", "card"], patterns: ['"ssn":"\\d+"'] }));
  const draft = { call_id: "c", name: "read", output: JSON.stringify(rows) };
  const whole = mask(createEvent("ToolCallEnded", meta(), draft));
  const parts = splitContent(whole, meta);
  expect(parts.length).toBeGreaterThan(2);
  const [joined] = joinContent(parts) as EventOf<"ToolCallEnded">[];
  expect(joined?.output).toBe((whole as EventOf<"ToolCallEnded">).output);
  expect(joined?.output).not.toMatch(/hunter2|4111/);
  expect(JSON.parse(joined?.output ?? "")).toHaveLength(5000);
});
