/** The type of a path of a record; `json` holds what may be of any type. */
export type Feature =
  | "string"
  | "int64"
  | "float64"
  | "bool"
  | "json"
  | { readonly list: Feature }
  | { readonly struct: Features };

/** The types of all paths of a record, fixed for a format: no content decides them. Every path may be null. */
export interface Features {
  readonly [name: string]: Feature;
}

function typeLines(of: Feature, indent: string): string[] {
  if (typeof of === "string") return [`${indent}dtype: ${of}`];
  if ("struct" in of) return [`${indent}struct:`, ...featureLines(of.struct, indent)];
  const { list: item } = of;
  if (typeof item === "string") return [`${indent}list: ${item}`];
  if ("struct" in item) return [`${indent}list:`, ...featureLines(item.struct, indent)];
  return [`${indent}list:`, ...typeLines(item, `${indent}  `)];
}

/**
 * Types as the YAML of a dataset card says them.
 *
 * @example
 * featureLines({ task: "string" }); // ["- name: task", "  dtype: string"]
 */
export const featureLines = (features: Features, indent = ""): string[] =>
  Object.entries(features).flatMap(([name, of]) => [
    `${indent}- name: ${name}`,
    ...typeLines(of, `${indent}  `),
  ]);

const isJson = (of: Feature): boolean => {
  if (typeof of === "string") return of === "json";
  return "list" in of ? isJson(of.list) : hasJson(of.struct);
};

/** True where some path may hold anything. */
export const hasJson = (features: Features): boolean => Object.values(features).some(isJson);
