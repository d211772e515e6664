import fc from "fast-check";
import { expect, test } from "vitest";
import { elementsOf, membersOf } from "../../../intake/migration/json-slices.ts";

test("slices are the parts of a JSON text, exactly", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.json({ stringUnit: "binary" }))),
      fc.constantFrom("", " ", "\n\t"),
      (entries, gap) => {
        const members = entries.map(
          ([name, value]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${value}${gap}`,
        );
        expect([...membersOf(`${gap}{${members.join(",") || gap}}`)]).toEqual([...new Map(entries)]);
        const elements = entries.map(([, value]) => `${gap}${value}${gap}`);
        expect(elementsOf(`${gap}[${elements.join(",") || gap}]`)).toEqual(entries.map(([, value]) => value));
      },
    ),
  );
});
