import { type DossierInput, DossierParts } from "./dossier.ts";

const PARTS = Object.entries(DossierParts);
const SUMMARIES = ["summary", "description", "task"];

/**
 * Makes a dossier of what the caller said of the task: what has the name and the form of a dossier's part becomes
 * that part, all else goes to its `metadata`.
 *
 * @example
 * defaultTriage("Restart the queue", { summary: "queue is stuck", tags: ["sre"], service: "billing" });
 */
export function defaultTriage(task: string, metadata: Readonly<Record<string, unknown>>): DossierInput {
  const rest = { ...metadata };
  const name = SUMMARIES.find((key) => typeof rest[key] === "string" && rest[key] !== "");
  const summary = name === undefined ? task : String(rest[name]);
  if (name !== undefined) delete rest[name];
  const parts: Record<string, unknown> = {};
  for (const [key, schema] of PARTS) {
    const read = schema.safeParse(rest[key]);
    if (!read.success) continue;
    parts[key] = read.data;
    delete rest[key];
  }
  return { task, summary, ...parts, metadata: rest };
}
