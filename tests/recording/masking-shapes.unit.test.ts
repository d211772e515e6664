import { expect, test } from "vitest";
import { createMask } from "../../recording/masking/create-mask.ts";
import { DETECTOR_NAMES, type DetectorName } from "../../recording/masking/detectors.ts";
import { REDACTED } from "../../recording/masking/marker.ts";
import { newId } from "../../schemas/identity.ts";
import { maskingBy } from "../../schemas/masked.ts";
import { maskedReason } from "./masked-text.ts";
import { plantedEvents } from "./planted.ts";

/** Put together here, so that no scanner takes this file for a leak. */
const key = (...parts: string[]): string => parts.join("");
const mixed = (length: number): string => "aB3dE5gH7".repeat(12).slice(0, length);
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const AWS_SECRET = key("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY");
const OPENAI = key("sk-", "proj-", mixed(40));

const SHAPES: [DetectorName, string][] = [
  ["api_key", OPENAI],
  ["api_key", key("sk-", "ant-api03-", mixed(40))],
  ["api_key", key("sk-", "or-v1-", mixed(40))],
  ["api_key", key("github", "_pat_", mixed(40))],
  ["api_key", key("gh", "s_", mixed(36))],
  ["api_key", key("gl", "pat-", mixed(20))],
  ["api_key", key("xo", "xp-", mixed(20))],
  ["api_key", key("xa", "pp-1-", mixed(24))],
  ["api_key", key("AI", "za", mixed(35))],
  ["api_key", key("ya", "29.", mixed(30))],
  ["api_key", key("GOC", "SPX-", mixed(24))],
  ["api_key", key("hf", "_", mixed(34))],
  ["api_key", key("np", "m_", mixed(36))],
  ["api_key", key("pypi", "-AgEI", mixed(50))],
  ["api_key", key("S", "G.", mixed(22), ".", mixed(43))],
  ["api_key", key("sk", "_live_", mixed(24))],
  ["api_key", key("wh", "sec_", mixed(32))],
  ["api_key", key("gs", "k_", mixed(40))],
  ["api_key", key("xa", "i-", mixed(40))],
  ["api_key", key("pp", "lx-", mixed(40))],
  ["api_key", key("r8", "_", mixed(37))],
  ["api_key", key("dop", "_v1_", mixed(64))],
  ["api_key", key("da", "pi", "0123456789abcdef".repeat(2))],
  ["api_key", key("hv", "s.", mixed(30))],
  ["api_key", key("123456789", ":AA", mixed(33))],
  ["api_key", key("AS", "IA", "0123456789ABCDEF")],
  ["api_key", AWS_SECRET],
  ["api_key", `BEARER ${mixed(30)}`],
  ["api_key", "Authorization: Basic dXNlcjpodW50ZXIy"],
  ["api_key", "Basic dXNlcjpodW50ZXIy"],
  ["api_key", `AccountKey=${mixed(86)}==`],
  ["api_key", key("sk", "-", mixed(16))],
  ["api_key", key("xo", "xb-", mixed(10))],
  ["api_key", `Bearer ${mixed(16)}`],
  ["card", "4111.1111.1111.1111"],
  ["card", "4111\u00a01111\u00a01111\u00a01111"],
  ["card", "4111\u202f1111\u202f1111\u202f1111"],
  ["card", "3782 822463 10005"],
  ["email", "jörg.müller@exämple.example"],
  ["email", "用户@例子.广告"],
  ["email", "jane@xn--exmple-cua.xn--p1ai"],
  ["email", "jane＠mail．example"],
  ["email", "o'neil@mail.example"],
  ["email", "jane%40mail.example"],
  ["email", "jane%2540mail.example"],
  ["email", "jane&#64;mail.example"],
  ["email", "jane\\u0040mail.example"],
  ["api_key", OPENAI.split("").join("\u200b")],
  ["api_key", OPENAI.replaceAll("-", "%2D")],
  ["api_key", OPENAI.replaceAll("-", "%25252D")],
  ["api_key", base64(`the key is ${OPENAI} and that is it`)],
  ["email", base64(base64('{"to":"jane@mail.example"}'))],
];

test.each(SHAPES)("%s is taken out of a text, and of JSON, and nothing beside it (%s)", (name, secret) => {
  const options = { detectors: [name] };
  expect(maskedReason(options, `it is ${secret} now`)).toBe(`it is ${REDACTED} now`);
  expect(maskedReason(options, JSON.stringify({ a: ["b", secret] }))).toBe(`{"a":["b","${REDACTED}"]}`);
  expect(maskedReason(options, `{"a":1}\n${JSON.stringify({ b: secret })}`)).toBe(
    `{"a":1}\n{"b":"${REDACTED}"}`,
  );
});

test("keys whose shape no word has are found directly after a letter, and cards beside other numbers", () => {
  const options = { detectors: DETECTOR_NAMES };
  for (const sure of [
    OPENAI,
    key("gh", "p_", mixed(36)),
    key("AI", "za", mixed(35)),
    key("ya", "29.", mixed(30)),
  ])
    expect(maskedReason(options, `x${sure}`)).toBe(`x${REDACTED}`);
  expect(maskedReason(options, "4111 1111 1111 1111 123, 2026 4111 1111 1111 1111")).toBe(
    `${REDACTED} 123, 2026 ${REDACTED}`,
  );
  expect(maskedReason(options, "请发到zhang@mail.example")).toBe(`请发到${REDACTED}`);
});

test.each([
  ["aws_secret_access_key = ", ""],
  ["[default]\naws_secret_access_key = ", "\nregion = eu"],
  ["q=aws_secret_access_key%3D", "%26b%3D1"],
  ["to=%3Fapi_key%253D", "%2526b%253D1"],
])("a key is known by its name, written as a file or a URL within a URL has it (%j)", (before, after) => {
  const options = { detectors: ["api_key" as const] };
  expect(maskedReason(options, `${before}abc123def456ghi${after}`)).toBe(`${before}${REDACTED}${after}`);
});

const NAMED = [
  "password=hunter2",
  'password: "hunter2"',
  "Cookie: sid=hunter2; a=b",
  "Authorization: Digest hunter2",
  "https://ann:hunter2@a.example",
  "?token=hunter2&a=b",
  "--password hunter2",
  '{"password":"hunter2"}',
  '{"secret":["hunter2"]}',
  "{'token': 'hunter2'}",
  "<token>hunter2</token>",
];

test("every shape and every name is taken out of every field of every event", () => {
  const sessionId = newId();
  const mask = maskingBy(createMask({ detectors: DETECTOR_NAMES }));
  for (const [canary, gone] of [
    ...SHAPES.map(([, secret]) => [secret, secret.slice(-8)] as const),
    ...NAMED.map((text) => [text, "hunter2"] as const),
  ])
    for (const event of plantedEvents(sessionId, canary)) {
      const written = JSON.stringify(event);
      const said = written.includes(gone) || written.includes(JSON.stringify(gone).slice(1, -1));
      expect(said, `${canary} is in ${event.type}`).toBe(true);
      const left = JSON.stringify(mask(event));
      expect(
        left.includes(gone) || left.includes(JSON.stringify(gone).slice(1, -1)),
        `${canary} ${left}`,
      ).toBe(false);
    }
});

/** Code, numbers and words that only look like what is looked for; `§` stands for a dollar sign. */
const ORDINARY = [
  'max_tokens: 4096, "prompt_tokens": 12, tokens=1234, token_count = 17, Token usage: 1234 in, 99 out',
  '{"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15},"max_tokens":4096,"stop_token":"</s>"}',
  '{"content":[{"token":" the","logprob":-0.1,"bytes":[32]},{"logprob":-2,"token":"key"}]}',
  '{"keyboard":"qwertz","secretary":"Ann Miller","tokenizer":"cl100k_base","primary_key":"id","nextPageToken":"abc123"}',
  "const token = await getToken(); if (token === undefined) throw new Error(`no token: §{reason}`);",
  "def login(user: str, password: str, token: Optional[str] = None) -> AuthToken:",
  "interface Login { password: string; token?: string; credentials: Credentials }",
  'client = OpenAI(api_key=os.environ["OPENAI_API_KEY"], token=self.token, secret=config.secret)',
  'password = input("Password: ")\npassword_hash = hashlib.sha256(password.encode()).hexdigest()',
  'headers = { "Authorization": f"Bearer {token}" }',
  "headers: { Authorization: `Bearer §{apiKey}`, Cookie: cookies.join() }",
  "token: §{{ secrets.GITHUB_TOKEN }}\npassword: §{PASSWORD}\nexport API_KEY=$KEY\napi_key=<your key>",
  "PWD=/root/repo\nOLDPWD=/tmp\nSHELL=/bin/bash\nLANG=C.UTF-8",
  '{"pwd":"/root/repo","dependencies":{"cookie":"^0.7.2","pg-connection-string":"2.14.1"}}',
  "cat: /etc/passwd: No such file or directory\nSyntaxError: unexpected token: }",
  "The secret: be kind. A token: the word of a text. Cookie: enabled. The token is invalid, password required.",
  "Enter password: \nPassword: ********\npassword must have 8 characters, --max-tokens 4096 --token-limit 5",
  '{"required":["password","token"],"enum":["secret","api_key"]}',
  "018f6b0e-7c1a-7000-8000-4111111111111 4111a111-1111-4111-8111-111111111111",
  `sha256:${"ab12".repeat(16)} da39a3ee5e6b4b0d3255bfef95601890afd80709 ${"f".repeat(32)}`,
  "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
  "2026-11-28T12:00:00.000Z 20261128120000 1732320000000 1732320000000000 00:01:02.345678",
  "EUR 1,234.56 $4,111.11 4111.50 3.141592653589793 0.4111111111111111 1234.4111111111111111 6.02214076e23",
  "+49 170 1234567, (030) 123-4567, 0800 123 4567, +1 415 555 2671, 4155552671, 41 11 11 11 11 11 11 11",
  "192.168.100.200 10.0.0.1:8080 2001:db8:85a3::8a2e:370:7334 52.5200, 13.4050 order 4000123412341235",
  "git@github.com:owner/repo.git icon@2x.png left-pad@1.3.0-beta.rc actions/checkout@v4 @types/node @app.route",
  "risk-management-and-more-of-that task-proj-management-and-more-of-that-and-more-words disk-usage-of-the-system",
  "src/components/Foo2/BarBazQux/IndexPage1 /usr/lib/python3/dist-packages/numpy/core/include/ndarraytypes.h",
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "https://example.org/a@b?page=2&sort=asc&key=name http://localhost:3000/x?q=a%20b&limit=10#top",
  "bearer authentication, Basic access, a basic authorization: see RFC 7617; Authorization: required",
  "| token | count |\n| --- | --- |\n| the | 5 |\nfor token in tokens: print(token, key=lambda token: token.text)",
  "call_AbCdEfGhIjKlMnOpQrStUv toolu_01AbCdEfGhIjKlMnOpQrStUv chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz123",
  "SELECT id, token, password FROM users WHERE token = ? AND secret = :secret AND password = @password;",
];

test.each(ORDINARY.map((text) => text.replaceAll("§", "$")))(
  "%s: stays as it is under all detectors, also in JSON",
  (text) => {
    const options = { detectors: DETECTOR_NAMES };
    expect(maskedReason(options, text)).toBe(text);
    const json = JSON.stringify({ role: "tool", content: text, lines: text.split("\n") });
    expect(maskedReason(options, json)).toBe(json);
  },
);
