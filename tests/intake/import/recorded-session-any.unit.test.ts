import fc from "fast-check";
import { expect, test } from "vitest";
import { sessionOf } from "../../../intake/import/recorded-session.ts";
import { decodeEvent, encodeEvent } from "../../../schemas/codec.ts";
import { foldSession } from "../../../traces/fold.ts";
import { OPTIONS, ofType, recordingOf } from "./recorded-rows.ts";

const text = fc.string({ unit: "binary" });
const content = fc.oneof(
  text,
  fc.constant(null),
  fc.array(fc.oneof(text, fc.record({ type: fc.constant("text"), text }))),
);
const message = fc.oneof(
  fc.record({ role: fc.constantFrom("system", "developer", "user"), content }, { requiredKeys: ["role"] }),
  fc.record(
    {
      role: fc.constant("assistant"),
      content,
      tool_calls: fc.option(
        fc.array(
          fc.record(
            {
              id: fc.oneof(fc.constantFrom("", "a", "b", "__proto__"), text),
              function: fc.record(
                { name: text, arguments: fc.oneof(text, fc.jsonValue()) },
                { requiredKeys: ["name"] },
              ),
            },
            { requiredKeys: ["function"] },
          ),
          { maxLength: 3 },
        ),
      ),
      __proto__: fc.jsonValue(),
    },
    { requiredKeys: ["role"] },
  ),
  fc.record(
    {
      role: fc.constantFrom("tool", "function"),
      content,
      tool_call_id: fc.constantFrom("a", "b", "a", "__proto__"),
      name: text,
    },
    { requiredKeys: ["role"] },
  ),
);
const timed = fc
  .tuple(
    message,
    fc.option(fc.oneof(fc.integer({ min: 0, max: 4e9 }), fc.constant("2024-02-29T12:00:00.5+02:00"))),
  )
  .map(([value, timestamp]) => (timestamp === null ? value : { ...value, timestamp }));

test("any conversation becomes a whole session that folds and encodes, and the same one again", () => {
  fc.assert(
    fc.property(
      fc.array(timed, { minLength: 1, maxLength: 12 }),
      fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.dictionary(fc.oneof(text, fc.constant("__proto__")), fc.jsonValue()),
      (messages, reward, metadata) => {
        const source = JSON.stringify({ task: "t", messages, reward, metadata });
        const { events } = sessionOf(recordingOf(source), OPTIONS);
        expect(sessionOf(recordingOf(source), OPTIONS).events).toEqual(events);
        const times = events.map(({ meta }) => meta.occurred_at);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        const read = events
          .map((event) => encodeEvent(event))
          .map(({ fingerprint, body }) => decodeEvent(fingerprint, body));
        const trace = foldSession(read);
        expect(trace.incomplete_reasons).toEqual([]);
        expect(trace.status).toBe("succeeded");
        expect(trace.steps.length).toBe(messages.filter(({ role }) => role === "assistant").length);
        expect(trace.steps.every(({ status }) => status === "succeeded")).toBe(true);
        const started = ofType(events, "ToolCallStarted").map(({ call_id }) => call_id);
        expect(new Set(started).size).toBe(started.length);
        expect(
          ofType(events, "ToolCallEnded")
            .map(({ call_id }) => call_id)
            .sort(),
        ).toEqual([...started].sort());
        for (const { arguments: args } of ofType(events, "ToolCallStarted")) JSON.parse(args);
        expect(
          ofType(events, "MessageRecorded").map(({ message: raw }) => JSON.parse(raw) as unknown),
        ).toMatchObject(
          JSON.parse(JSON.stringify(messages.map(({ role, content }) => ({ role, content })))) as object[],
        );
      },
    ),
    { numRuns: 300 },
  );
});
