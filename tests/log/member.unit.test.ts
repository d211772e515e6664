import { spawnSync } from "node:child_process";
import { hostname } from "node:os";
import { expect, test } from "vitest";
import { isGone, memberName } from "../../log/runner/member.ts";

test("a member is gone when its process is, and only here can that be said", () => {
  const mine = memberName();
  expect(isGone(mine)).toBe(false);
  const [space, , random] = mine.split(":");
  const { pid } = spawnSync(process.execPath, ["--version"]);
  expect(isGone(`${space}:${pid}:${random}`)).toBe(true);
  expect(isGone(`elsewhere:${pid}:${random}`)).toBe(false);
});

test.runIf(process.platform === "linux")(
  "containers may share a host name, and not their process ids",
  () => {
    const [space] = memberName().split(":");
    const { pid } = spawnSync(process.execPath, ["--version"]);
    expect(space!.startsWith(`${hostname()}/`)).toBe(true);
    expect(isGone(`${space}0:${pid}:a`)).toBe(false);
    expect(isGone(`${hostname()}:${pid}:a`)).toBe(false);
  },
);
