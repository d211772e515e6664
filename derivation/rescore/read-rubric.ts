import { readFileSync } from "node:fs";
import { readYaml } from "../../configs/read-yaml.ts";
import { rubricSchema } from "../../configs/rules-schema.ts";
import { AtlasError } from "../../errors/atlas-error.ts";
import type { Rubric } from "../../schemas/rules.ts";

const isBlock = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Where the rubric is: the file itself, its `rubric`, or the `rules.rubric` of a whole configuration. */
function find(value: unknown): { rubric: unknown; path: string[] } {
  if (isBlock(value) && isBlock(value.rules))
    return { rubric: value.rules.rubric, path: ["rules", "rubric"] };
  if (isBlock(value) && "rubric" in value) return { rubric: value.rubric, path: ["rubric"] };
  return { rubric: value, path: [] };
}

/**
 * Reads a rubric from YAML or JSON: alone, under `rubric`, or under `rules.rubric` as in a configuration.
 *
 * @throws AtlasError ATLAS_FILE_UNREADABLE; ATLAS_RUBRIC_INVALID with line and column
 * @example
 * await atlas.rewards.rescore({ rubric: readRubric("strict.yaml") });
 */
export function readRubric(file: string): Rubric {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new AtlasError("ATLAS_FILE_UNREADABLE", "the rubric cannot be read", { where: file, cause });
  }
  const yaml = readYaml(text, process.env);
  const refuse = (words: string, { line, column }: { line: number; column: number }): never => {
    throw new AtlasError("ATLAS_RUBRIC_INVALID", words, {
      where: `${file}:${line}:${column}`,
      hint: "A rubric has aggregation, weights and thresholds: see docs/rewards.md.",
    });
  };
  const [problem] = yaml.problems;
  if (problem !== undefined) return refuse(problem.words, problem.place);
  const { rubric, path } = find(yaml.value);
  const parsed = rubricSchema.safeParse(rubric);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const key = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
  const name = [...issue.path, ...(key === undefined ? [] : [key])].join(".");
  const words = key === undefined ? issue.message : "is no key of a rubric";
  return refuse(
    `${name === "" ? "the rubric" : name}: ${words}`,
    yaml.placeOf([...path, ...issue.path], key),
  );
}
