import { type Known, withoutEmpty } from "./known.ts";
import type { Work } from "./work.ts";

/** Spoken fields join the others of their name. */
export function joined(rest: Record<string, unknown>, spoken: unknown): Record<string, unknown> {
  const all = { ...rest };
  for (const [name, value] of Object.entries((spoken ?? {}) as Record<string, unknown>)) {
    const other = all[name];
    if (Array.isArray(other) && Array.isArray(value))
      all[name] = [...(other as unknown[]), ...(value as unknown[])];
    else if (typeof other === "object" && other !== null && !Array.isArray(other))
      all[name] = { ...other, ...(value as object) };
    else all[name] = value;
  }
  return withoutEmpty(all);
}

/** All that the spans hold and the conversation does not; what is the same for all stands once. */
export function spansOf(works: readonly Work[], known: Known, called: string): Record<string, unknown> {
  const spans = works.map(({ rest, spoken }) => joined(rest, known.unknownOf(spoken)));
  const [first] = spans;
  const shared = ["resource", "scope"].filter(
    (name) =>
      first?.[name] !== undefined &&
      spans.every((span) => JSON.stringify(span[name]) === JSON.stringify(first[name])),
  );
  const own = spans.map((span) =>
    Object.fromEntries(Object.entries(span).filter(([name]) => !shared.includes(name))),
  );
  return { ...Object.fromEntries(shared.map((name) => [name, first![name]])), [called]: own };
}
