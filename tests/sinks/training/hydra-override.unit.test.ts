import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hydraValue, shellLine, withoutSecrets } from "../../../sinks/training/hydra-override.ts";
import { pythonFor } from "../../services/python.ts";

/** What OmegaConf fills in. */
const interpolation = (name: string): string => `$\{${name}}`;

const TEXTS = [
  "traces.jsonl",
  "/data/run 1/traces.jsonl",
  "a,b",
  "[x]",
  "{x: 1}",
  "it's",
  "back\\slash",
  "back\\'quote",
  "ends with \\",
  interpolation("oc.env:HOME"),
  "key=value",
  "null",
  "true",
  "12",
  "0.5",
  "",
  " spaced ",
  "naïve/数据.jsonl",
  "glob(*)",
  "C:\\data\\x.jsonl",
];

const python = await pythonFor("readers", "reading with Hydra");

test.skipIf(!python)("Hydra reads every value back as it was", () => {
  const overrides = TEXTS.map((text, index) => `key_${index}=${hydraValue(text)}`);
  const script = join(import.meta.dirname, "parse_overrides.py");
  const input = JSON.stringify([...overrides, `samples=${hydraValue(500)}`, `ratio=${hydraValue(0.1)}`]);
  const read: unknown = JSON.parse(execFileSync(python!, [script], { input, encoding: "utf8" }));
  expect(read).toEqual([
    ...TEXTS.map((text, index) => [`key_${index}`, text]),
    ["samples", 500],
    ["ratio", 0.1],
  ]);
});

test("plain paths and names stay readable; all else is quoted", () => {
  expect(["grpo", "/data/traces.jsonl", "../x"].map(hydraValue)).toEqual([
    "grpo",
    "/data/traces.jsonl",
    "../x",
  ]);
  expect(["a b", "null", "1e3", interpolation("x")].map(hydraValue)).toEqual([
    "'a b'",
    "'null'",
    "'1e3'",
    `'\\${interpolation("x")}'`,
  ]);
});

test("a command that is shown holds no secret, and can be pasted into a shell", () => {
  const shown = withoutSecrets([
    "train.py",
    "hub_token=hf_1",
    "++wandb.api_key=2",
    "lr=0.1",
    "--secret-file",
  ]);
  expect(shown).toEqual(["train.py", "hub_token=***", "++wandb.api_key=***", "lr=0.1", "***"]);
  const words = ["a b", "it's", "$HOME", "x=1"];
  const printed = execFileSync("sh", ["-c", `printf '%s\\n' ${shellLine(words)}`], { encoding: "utf8" });
  expect(printed).toBe(`${words.join("\n")}\n`);
});
