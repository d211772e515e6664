import { describe, expect, it } from "vitest";
import { encodeEvent } from "../../schemas/codec.ts";
import type { AtlasEvent, EventType } from "../../schemas/generated/events.ts";
import { VOCABULARIES, vocabularyProblem } from "../../schemas/vocabulary.ts";
import { LATEST, leastEvent } from "./arbitrary-events.ts";

const fields = Object.entries(VOCABULARIES).flatMap(([type, vocabulary]) =>
  Object.entries(vocabulary).map(([field, words]) => [type as EventType, field, words] as const),
);
const withField = (type: EventType, field: string, value: unknown): AtlasEvent =>
  ({ ...leastEvent(type), [field]: value }) as AtlasEvent;

describe("vocabulary", () => {
  it.each(fields)("%s.%s takes its words and no other", (type, field, words) => {
    expect(LATEST.get(type)?.fields.map(({ name }) => name)).toContain(field);
    for (const word of words) expect(vocabularyProblem(withField(type, field, word))).toBeUndefined();
    expect(() => encodeEvent(withField(type, field, "sideways"))).toThrow(
      expect.objectContaining({
        code: "ATLAS_EVENT_INVALID",
        message: `${type}.${field} is "sideways", not one of ${words.join(", ")}`,
      }),
    );
  });

  it("leaves an absent word to the schema", () => {
    const decided = leastEvent("ReviewDecided");
    expect(vocabularyProblem(decided)).toBeUndefined();
    expect(() => encodeEvent(decided)).not.toThrow();
    expect(() => encodeEvent(withField("ReviewDecided", "decision", null))).toThrow(/decision/);
  });
});
