import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const Step = z.object({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const Workflow = z.object({
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.object({
      uses: z.string().optional(),
      permissions: z.record(z.string(), z.string()).optional(),
      steps: z.array(Step).default([]),
    }),
  ),
});

const files = globSync(".github/workflows/*.{yml,yaml}", { cwd: root });
const workflows = files.map((file) => ({
  file,
  text: read(file),
  workflow: Workflow.parse(parse(read(file))),
}));
const stepsOf = (workflow: z.infer<typeof Workflow>) =>
  Object.values(workflow.jobs).flatMap(({ steps }) => steps);

describe.each(workflows)("$file", ({ text, workflow }) => {
  it("names every action by its commit, with the version beside it, or is a workflow of this repository", () => {
    const used = [...text.matchAll(/\buses: (.+)$/gm)].map(([, value]) => value!);
    expect(used.length).toBeGreaterThan(0);
    for (const value of used)
      expect(value).toMatch(
        /^(\.\/\.github\/workflows\/\w+\.yml|[\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/,
      );
  });

  it("may read the repository, and nothing else unless a job needs it to sign", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    for (const { permissions } of Object.values(workflow.jobs))
      expect(permissions ?? {}).not.toMatchObject({ contents: "write" });
    expect(text).not.toContain("pull_request_target");
  });

  it("leaves no credentials where a package could read them", () => {
    const checkouts = stepsOf(workflow).filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    for (const step of checkouts) expect(step.with).toMatchObject({ "persist-credentials": false });
  });

  it("puts nothing of a request into a command", () => {
    for (const { run = "" } of stepsOf(workflow)) expect(run).not.toContain("${{");
  });
});

it("the same action is used at the same commit everywhere", () => {
  const commits = new Map<string, Set<string>>();
  for (const { workflow } of workflows)
    for (const { uses } of stepsOf(workflow)) {
      const [action, commit] = uses?.split("@") ?? [];
      if (commit !== undefined) commits.set(action!, (commits.get(action!) ?? new Set()).add(commit));
    }
  expect([...commits.values()].every(({ size }) => size === 1)).toBe(true);
});

it("the check verifies what the registry signed; the release does too, lists its parts, and proves where it was built", () => {
  const runs = (name: string): string =>
    stepsOf(workflows.find(({ file }) => file.endsWith(name))!.workflow)
      .map(({ run }) => run)
      .join("\n");
  expect(runs("ci.yml")).toContain("npm audit signatures");
  const release = runs("release.yml");
  const order = ["npm ci", "npm audit signatures", "npm run build", "npm sbom", "npm publish --provenance"];
  const places = order.map((command) => release.indexOf(command));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

it("updates are proposed for packages, actions and images", () => {
  const { updates } = z
    .object({ updates: z.array(z.object({ "package-ecosystem": z.string() })) })
    .parse(parse(read(".github/dependabot.yml")));
  expect(updates.map((update) => update["package-ecosystem"])).toEqual([
    "npm",
    "github-actions",
    "docker",
    "docker-compose",
  ]);
});
