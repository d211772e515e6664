import { expect, test } from "vitest";
import { REDACTED } from "../../recording/masking/marker.ts";
import { secretNames } from "../../recording/masking/secret-names.ts";
import { maskedReason } from "./masked-text.ts";

const masked = (text: string): string => maskedReason({ detectors: ["secret"] }, text);
const isSecret = secretNames({ secrets: true });

test.each(
  `password Password PASSWORD passwd pwd passphrase secret client_secret clientSecret CLIENT-SECRET token accessToken
  access_token refresh_token id_token authToken X-Auth-Token session_token csrf-token api_key apikey apiKey APIKey
  OPENAI_API_KEY x-api-key authorization Proxy-Authorization cookie Set-Cookie private_key privateKey credential
  credentials connection_string connectionString aws_secret_access_key SecretAccessKey AccountKey db_password
  userpassword password2 password_hash secretValue SecretString DB_PASS jwt bearer_token signing_key`.split(
    /\s+/,
  ),
)("%s names a secret", (name) => {
  expect(isSecret?.(name)).toBe(true);
});

test.each(
  `tokens max_tokens maxTokens token_count total_tokens prompt_tokens tokenizer token_type token_usage eos_token
  pad_token stop_token nextPageToken page_token continuation_token keyboard key primary_key public_key key_id
  access_key_id secretary secret_name cookie_policy cookie_consent_id passport compass author authority authorize
  password_length password_policy password_reset_url credential_type api_key_env node_modules/cookie passage`.split(
    /\s+/,
  ),
)("%s names none", (name) => {
  expect(isSecret?.(name)).toBe(false);
});

test("what JSON has under a secret name goes whole, whatever it is, and nothing else", () => {
  const text = `{ "user": "ann",\n "password": "hunter2", "pin": {"Token": 1234, "n": 1.0},
    "api_keys": ["a", {"b": 2}], "credentials": {"a": [1]}, "secret": "", "cookie": null, "token": true, "jwt": {} }`;
  expect(
    masked(text),
  ).toBe(`{ "user": "ann",\n "password": "${REDACTED}", "pin": {"Token": "${REDACTED}", "n": 1.0},
    "api_keys": "${REDACTED}", "credentials": "${REDACTED}", "secret": "", "cookie": null, "token": true, "jwt": {} }`);
});

const INNER = '{"password":"hunter2","n":1}';
const LEFT = `{"password":"${REDACTED}","n":1}`;

test.each<[string, (json: string) => string]>([
  ["JSON", (json) => json],
  ["JSON in JSON", (json) => JSON.stringify({ body: json })],
  ["JSON in JSON in JSON", (json) => JSON.stringify([JSON.stringify({ body: json })])],
  ["NDJSON", (json) => `{"a":1}\n${json}\n{"b":2}\n`],
  ["a code fence", (json) => `This is it:\n\`\`\`json\n${json}\n\`\`\`\nand more`],
  ["a sentence", (json) => `got {x} and ${json}, and [more`],
  ["JSON in a code fence in JSON", (json) => JSON.stringify({ text: `\`\`\`\n${json}\n\`\`\`` })],
  ["escaped JSON in a text", (json) => `body ${JSON.stringify(json).slice(1, -1)} sent`],
  ["JSON that was cut off", (json) => `{"list":[${json},{"more":"and`],
])("%s: only the value under the name goes, and what was JSON is", (_kind, wrapped) => {
  expect(masked(wrapped(INNER))).toBe(wrapped(LEFT));
});

test("where JSON names a thing and its value apart, the value goes", () => {
  expect(masked('[{"name":"Authorization","value":"x"},{"name":"Accept","value":"y"}]')).toBe(
    `[{"name":"Authorization","value":"${REDACTED}"},{"name":"Accept","value":"y"}]`,
  );
  expect(masked('["mysql","--password","hunter2","db"]')).toBe(`["mysql","--password","${REDACTED}","db"]`);
  expect(masked('{"key":"password","value":{"stringValue":"x"}}')).toBe(
    `{"key":"password","value":"${REDACTED}"}`,
  );
});

test("a tool that takes a password is still described, without the one it is given by default", () => {
  const tool = (given: string): string =>
    `{"name":"login","parameters":{"type":"object","properties":{"password":{"type":"string","description":"The password.","default":"${given}"},"token":{"description":"A token.","type":["string","null"]}},"required":["password","token"]}}`;
  expect(masked(tool("hunter2"))).toBe(tool(REDACTED));
});

test.each([
  ["Authorization: Basic aHVudGVyMg==", `Authorization: ${REDACTED}`],
  ['Authorization: Digest username="ann", nonce="1"', `Authorization: ${REDACTED}`],
  [
    "curl -H 'Authorization: Token x1' https://a.example",
    `curl -H 'Authorization: ${REDACTED}' https://a.example`,
  ],
  ["Cookie: sid=1; theme=dark\nAccept: */*", `Cookie: ${REDACTED}\nAccept: */*`],
  ["X-Api-Key: 1234abcd", `X-Api-Key: ${REDACTED}`],
  ["https://a.example/?token=abc&page=2", `https://a.example/?token=${REDACTED}&page=2`],
  ["DB_PASSWORD=hunter\nPORT=80", `DB_PASSWORD=${REDACTED}\nPORT=80`],
  ["export GITHUB_TOKEN=abc", `export GITHUB_TOKEN=${REDACTED}`],
  ["user: ann\npassword: hunter\n", `user: ann\npassword: ${REDACTED}\n`],
  ["the password: hunter2, and more", `the password: ${REDACTED}, and more`],
  ["My password is: hunter2.", `My password is: ${REDACTED}.`],
  ["API key: 1234abcd", `API key: ${REDACTED}`],
  ["{'password': 'hunter2', 'n': 1}", `{'password': '${REDACTED}', 'n': 1}`],
  ["{'credentials': {'a': [1]}, 'n': 1}", `{'credentials': ${REDACTED}, 'n': 1}`],
  ['secret := "hunter"', `secret := "${REDACTED}"`],
  ["mysql --password hunter2 --port 1", `mysql --password ${REDACTED} --port 1`],
  ["<password>hunter</password>", `<password>${REDACTED}</password>`],
  ["postgres://ann:hunter@host/db", `postgres://ann:${REDACTED}@host/db`],
  ["Server=x;Password=hunter;Db=y", `Server=x;Password=${REDACTED};Db=y`],
  ['cut off: {"password": "hunt', `cut off: {"password": "${REDACTED}`],
])("%s: only the value goes", (text, left) => {
  expect(masked(text)).toBe(left);
  // What was masked is masked.
  expect(masked(left)).toBe(left);
});

test("names of one's own are as good, with or without the detector", () => {
  const options = { names: ["ssn", "InternalId"] };
  expect(maskedReason(options, '{"userSsn":"1","internal-id":{"a":1},"password":"x","id":7}')).toBe(
    `{"userSsn":"${REDACTED}","internal-id":"${REDACTED}","password":"x","id":7}`,
  );
  expect(maskedReason(options, "SSN: 123-45-6789")).toBe(`SSN: ${REDACTED}`);
  expect(maskedReason({ ...options, detectors: ["secret"] }, '{"ssn":1,"password":"x"}')).toBe(
    `{"ssn":"${REDACTED}","password":"${REDACTED}"}`,
  );
});

test("api_key knows what is called an API key, and no passwords", () => {
  expect(
    maskedReason({ detectors: ["api_key"] }, '{"apiKey":"x","SecretAccessKey":"y","password":"z"}'),
  ).toBe(`{"apiKey":"${REDACTED}","SecretAccessKey":"${REDACTED}","password":"z"}`);
});
