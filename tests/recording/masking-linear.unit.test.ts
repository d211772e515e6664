import { expect, test } from "vitest";
import { z } from "zod";
import { captureSchema } from "../../configs/capture-schema.ts";
import { judgesSchema } from "../../configs/judges-schema.ts";
import { isAtlasError } from "../../errors/atlas-error.ts";
import { nestsRepeats } from "../../guards/nested-repeats.ts";
import { answerMatches } from "../../judges/built-in-judges.ts";
import { readReply } from "../../models/read-reply.ts";
import { learningKeyOf } from "../../recording/learning-key.ts";
import { createMask, type MaskOptions } from "../../recording/masking/create-mask.ts";
import { DETECTOR_NAMES } from "../../recording/masking/detectors.ts";
import { REDACTED } from "../../recording/masking/marker.ts";
import { maskedReason } from "./masked-text.ts";

/** What this takes is a second at most where time grows with the text, and tens of seconds where it grows with the square. */
const SIZE = 192 * 1024;
const MOST_CPU_MS = 4000;
const WAIT_MS = 120_000;

/** CPU milliseconds, which do not depend on what else the machine does. */
function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const filled = (shape: string): string => shape.repeat(Math.ceil(SIZE / shape.length));

/** What begins like something that a detector looks for, over and over, and is none. */
const SHAPES = [
  "-eyJaaaaaaaa",
  "_eyJaaaaaaaa",
  "\\neyJaaaaaaaa",
  ".eyJaaaaaaaa",
  "eyJaaaaaaaa.eyJaaaa",
  "eyJ",
  "-sk-",
  "sk-aaaaaaaaaaaaaaa ",
  "Bearer ",
  "bearer aaaaaaaaaaaaaaaaaaaaa",
  "-----BEGIN PRIVATE KEY-----",
  "-----BEGIN A",
  "-----END PRIVATE KEY",
  "-----",
  "- a",
  "AKIA0123456789ABCDEF",
  "-AKIA012345678",
  "a.",
  "a@",
  "a@a.a.a.a.a.a.a.a.1",
  "a.a.a.a.a.a.a.a@",
  "4",
  "4 ",
  "4111111111111111-",
  '{"',
  "[",
  "\\",
  REDACTED,
  '{"a":',
  '["',
  '[[{"a":"',
  '{"a":{"a":',
  '{"a\n',
  "{   ",
  '{"a":1} ',
  '{"password":1}',
  '{"password":',
  '{"properties":{"token":{',
  '{"name":"password","value":',
  '["--token",',
  '{"token":{"type":"string"',
  '{\\"',
  '\\"',
  '"',
  '"\n',
  ":",
  "=",
  "a=",
  "token: ",
  "token='<",
  'token="$',
  'token:\\"',
  'token=\\\\"<',
  'password:{"a"',
  "'token':{'a':",
  "token: x ",
  "password is ",
  "API key ",
  "- password: a\n",
  "?token=",
  "Authorization: Basic ",
  "Authorization: Bearer {",
  "Cookie: a=b",
  "--password ",
  '--password "',
  "<password>",
  "</",
  "://a:",
  "://a:b",
  "%40",
  "%25",
  "25",
  "%2525252525252525z",
  "&amp;",
  "\\u0040",
  "\u200b",
  "\uff20",
  "\u00f6@\u00f6.",
  "\u7528",
  "sk-proj-",
  "AIza",
  "ya29.",
  "AccountKey=",
  "hooks.slack.com/services/",
  "12345678:AA",
  "Bearer aaaaaaaaaaaaaaaaaaa ",
  "QUFB",
  "QUFBQUFBQUFBQUFBQUFBQUFB ",
  "4111.",
  "4111-1111-",
  "4111 ",
  '"ssn":"1',
];

const RULES: [string, MaskOptions][] = [
  ...DETECTOR_NAMES.map((name): [string, MaskOptions] => [name, { detectors: [name] }]),
  ["names of one's own", { names: ["a", "ssn"] }],
  ["patterns over JSON as it is written", { patterns: ['"ssn":"\\d+"', "a.{0,9}1"] }],
];

test.each(RULES)(
  "the time of %s grows with the text and no faster, whatever it is",
  (_name, options) => {
    for (const shape of SHAPES)
      expect(
        cpuOf(() => maskedReason(options, filled(shape))),
        shape,
      ).toBeLessThan(MOST_CPU_MS);
  },
  WAIT_MS,
);

test(
  "so does the time of JSON in JSON in JSON, and of JSON that is nested without end",
  () => {
    const nest = (write: (text: string) => string): string => {
      let text = "password=hunter2 ";
      while (text.length < SIZE / 2) text = write(text);
      return text;
    };
    const texts = [
      nest((text) => JSON.stringify({ a: text })),
      nest((text) => `see ${JSON.stringify([text])}`),
      `${'{"password":'.repeat(50_000)}1${"}".repeat(50_000)}`,
      `x ${'{"a":['.repeat(50_000)}1${"]}".repeat(50_000)}`,
      `x ${"[".repeat(SIZE)}"a"${"]".repeat(SIZE)}`,
    ];
    for (const text of texts) {
      const options: MaskOptions = { detectors: DETECTOR_NAMES, patterns: ["cust-[0-9]{6}"] };
      expect(cpuOf(() => maskedReason(options, text))).toBeLessThan(MOST_CPU_MS);
      expect(maskedReason(options, text)).not.toContain("hunter2");
    }
  },
  WAIT_MS,
);

test(
  "a secret of ten megabytes needs no memory for each of its characters",
  () => {
    const long = "a".repeat(1e7);
    const secrets = [
      `-----BEGIN PRIVATE KEY-----${"- a".repeat(6e6)}`,
      `sk-${long}`,
      `Bearer ${long}`,
      `eyJaaaaaaaaa.eyJ${long}.${long}`,
      `Authorization: Basic ${long}`,
      `AccountKey=${long}`,
      `sk-ant-api03-${long}`,
    ];
    for (const secret of secrets)
      expect(maskedReason({ detectors: ["api_key", "jwt"] }, secret).length, secret.slice(0, 30)).toBe(
        REDACTED.length,
      );
    for (const named of [
      `password=${long}`,
      `password="${long}"`,
      `'password': {'a': '${long}`,
      `Cookie: a=${long}`,
    ])
      expect(maskedReason({ detectors: ["secret"] }, named).length, named.slice(0, 20)).toBeLessThan(100);
  },
  WAIT_MS,
);

test("a token is found after dashes and other tokens, and what only begins like one stays", () => {
  const token = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${"s".repeat(20)}`;
  const options: MaskOptions = { detectors: ["jwt"] };
  expect(maskedReason(options, `my-${token} eyJaaaaaaaaa-${token}`)).toBe(`my-${REDACTED} ${REDACTED}`);
  expect(maskedReason(options, "eyJaaaaaaaaaaa and eyJbbbbbbbbb.eyJcccc")).toBe(
    "eyJaaaaaaaaaaa and eyJbbbbbbbbb.eyJcccc",
  );
});

test("keys without anything between them are all taken out", () => {
  expect(maskedReason({ detectors: ["api_key"] }, "AKIA0123456789ABCDEF".repeat(5))).toBe(REDACTED.repeat(5));
  // Of what goes on without end each look finds one, so nothing stays of it.
  expect(maskedReason({ patterns: ["(?<!b)b"] }, "b".repeat(500))).toBe(REDACTED);
});

test.each([
  ["(a+)+", true],
  ["(?:a|b*)*c", true],
  ["((x{1,3})y)+", true],
  ["(?<w>\\w+\\s?){2,}", true],
  ["([a)]+)*", true],
  ["cust-[0-9]{6}", false],
  ["(\\w+\\s?){1,8}", false],
  ["(?:ab?)+", false],
  ["(?:[0-9]{4}-?)+", false],
  ["[(a+)+]", false],
  ["\\(a+\\)+", false],
  ["a{+}", false],
])("%s: nests repetitions: %s", (pattern, nested) => {
  expect(nestsRepeats(pattern)).toBe(nested);
});

test("a pattern that could take for ever is refused where it is written, and says how it is mended", () => {
  const pattern = "(a+)+b";
  const judge = { name: "cites", type: "regex", pattern };
  for (const [schema, value] of [
    [captureSchema, { patterns: [pattern] }],
    [judgesSchema, { list: [judge] }],
  ] as const)
    expect(schema.safeParse(value).error?.issues[0]?.message).toContain("(a+){1,8}");
  for (const make of [
    () => createMask({ patterns: [pattern] }),
    () => createMask({ patterns: [/(a+)+b/] }),
    () => answerMatches({ name: "cites", pattern }),
  ]) {
    expect(make).toThrow(/for ever/);
    expect(() => make()).toThrow(expect.toSatisfy((error: unknown) => isAtlasError(error)));
  }
});

test(
  "what models and tasks say is read in a time that grows with it",
  () => {
    const spaces = " ".repeat(SIZE);
    expect(cpuOf(() => readReply(z.object({}), `\`\`\`${spaces}`))).toBeLessThan(MOST_CPU_MS);
    expect(cpuOf(() => learningKeyOf({ agent: "a", task: `x${spaces}y` }))).toBeLessThan(MOST_CPU_MS);
  },
  WAIT_MS,
);
