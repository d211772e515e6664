import { AtlasError } from "../../errors/atlas-error.ts";

const wrong = (message: string, hint: string): AtlasError =>
  new AtlasError("ATLAS_AGENT_FAILED", message, { hint });

/**
 * Fills the `{{name}}` places in every text of a template, however deep.
 *
 * @example
 * filled({ messages: [{ content: "{{task}}" }] }, { task: "hi" }); // { messages: [{ content: "hi" }] }
 */
export function filled(template: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof template === "string")
    return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (place, name: string) => values[name] ?? place);
  if (Array.isArray(template)) return template.map((entry) => filled(entry, values));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(value, values)]));
}

/**
 * Fills the `${NAME}` places of a header from the environment.
 *
 * @throws AtlasError ATLAS_AGENT_UNAVAILABLE naming a variable that is not set
 */
export const fromEnvironment = (value: string): string =>
  value.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const found = process.env[name];
    if (found) return found;
    throw new AtlasError("ATLAS_AGENT_UNAVAILABLE", `the agent's headers need ${name}`, {
      hint: `Set ${name} in the environment.`,
    });
  });

/**
 * What is at a path such as `choices[0].message.content`.
 *
 * @throws AtlasError ATLAS_AGENT_FAILED naming the part that is missing, and what is there instead
 */
export function atPath(body: unknown, path: string): unknown {
  const keys = path.match(/[^.[\]]+/g) ?? [];
  let found = body;
  for (const [depth, key] of keys.entries()) {
    const here = found as Record<string, unknown> | null | undefined;
    found = typeof here === "object" && here !== null && Object.hasOwn(here, key) ? here[key] : undefined;
    if (found !== undefined && found !== null) continue;
    const there = typeof here === "object" && here !== null ? Object.keys(here).join(", ") : typeof here;
    const asked = keys.slice(0, depth + 1).join(".");
    throw wrong(
      `the answer has nothing at ${asked}`,
      `There is ${there || "nothing"}; check the result path.`,
    );
  }
  return found;
}
