import { expect, test } from "vitest";
import { boundedLook } from "../../worker/bounded-look.ts";

const never = new Promise<never>(() => undefined);

test("whoever asks while a look is under way shares it, and a look is kept for a while", async () => {
  let looks = 0;
  const look = boundedLook(
    async () => {
      looks += 1;
      return looks;
    },
    { keepMs: 600_000 },
  );
  expect(await Promise.all([look(), look(), look()])).toEqual(Array(3).fill({ value: 1 }));
  expect(await look()).toEqual({ value: 1 });
});

test("a look that does not end is answered for by the one before it, and after a while by nothing", async () => {
  const looks: Promise<string>[] = [Promise.resolve("first"), never];
  const look = boundedLook(() => looks.shift()!, { keepMs: 0, answerMs: 1, staleMs: 600_000 });
  expect(await look()).toEqual({ value: "first" });
  expect(await look()).toEqual({ value: "first" });
  // Nobody starts another one beside it.
  expect(await look()).toEqual({ value: "first" });
  const hung = boundedLook(() => never, { answerMs: 1 });
  expect(await hung()).toMatchObject({ error: { code: "ATLAS_LOG_UNREACHABLE" } });
});

test("a look that fails says why, and another one is made", async () => {
  const looks = [() => Promise.reject(new Error("away")), async () => "back"];
  const look = boundedLook<string>(() => looks.shift()!(), { keepMs: 0 });
  expect(await look()).toMatchObject({ error: { message: "away" } });
  expect(await look()).toEqual({ value: "back" });
});
