import { AtlasError } from "../errors/atlas-error.ts";
import { addSchema } from "../schemas/codec.ts";
import { definedFingerprint } from "../schemas/defined-fingerprint.ts";
import type { EventDescription } from "../schemas/event-definitions.ts";

/**
 * Takes the versions that a log has of an event which a user defined, so that all of them can be read here.
 *
 * @param texts Avro schemas as JSON text, oldest first
 * @throws AtlasError ATLAS_SCHEMA_INCOMPATIBLE where the present one cannot read, or be read by, one of them
 */
export async function learnEarlierSchemas(
  { type, fingerprint, schema }: EventDescription,
  texts: readonly string[],
  where: string,
): Promise<void> {
  const versions = texts.map((text) => {
    const parsed: unknown = JSON.parse(text);
    return { text, parsed, fingerprint: definedFingerprint(type, parsed) };
  });
  const others = versions.filter((version) => version.fingerprint !== fingerprint);
  if (others.length === 0) return;
  const { checkCompatibility } = await import("../schemas/compatibility.ts");
  const [problem] = checkCompatibility(
    type,
    JSON.parse(schema),
    others.map(({ parsed }) => parsed),
  );
  if (problem !== undefined) {
    throw new AtlasError("ATLAS_SCHEMA_INCOMPATIBLE", `${type} ${problem.problem}`, {
      where,
      hint: "Add fields that may be null or have a default, take none away, and change no type; or give it another name.",
    });
  }
  for (const [index, version] of versions.entries())
    if (version.fingerprint !== fingerprint)
      addSchema(
        { name: type, version: index + 1, fingerprint: version.fingerprint, schema: version.text },
        { earlier: true },
      );
}
