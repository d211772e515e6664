import { createHash } from "node:crypto";

const KEPT = [
  "type",
  "name",
  "namespace",
  "fields",
  "items",
  "values",
  "default",
  "logicalType",
  "size",
  "symbols",
];

function canonical(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(canonical);
  if (typeof node !== "object" || node === null) return node;
  const record = node as Record<string, unknown>;
  const name = record["name"];
  const namespace = record["namespace"];
  const kept: Record<string, unknown> = {};
  for (const key of KEPT) {
    if (key === "namespace" || !(key in record)) continue;
    // Registries may move a namespace into the name, or the other way round.
    if (key === "name" && typeof name === "string" && record["type"] === "record") {
      kept["name"] = name.includes(".") || typeof namespace !== "string" ? shortName(name) : name;
    } else {
      kept[key] = key === "default" ? record[key] : canonical(record[key]);
    }
  }
  const keys = Object.keys(kept);
  return keys.length === 1 && typeof kept["type"] === "string" ? kept["type"] : kept;
}

const shortName = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

function shortReferences(node: unknown): unknown {
  if (typeof node === "string" && node.startsWith("atlas.events.")) return shortName(node);
  if (Array.isArray(node)) return node.map(shortReferences);
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, key === "default" ? value : shortReferences(value)]),
  );
}

/**
 * Sixteen hex digits that name a schema: the same for the same schema however a registry formats it, another
 * for any change that a reader could notice (docs and order of attributes are left out, defaults are not).
 *
 * @example
 * fingerprint({ type: "record", name: "A", fields: [] }); // "5f1d…"
 */
export function fingerprint(schema: unknown): string {
  const text = JSON.stringify(shortReferences(canonical(schema)));
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
