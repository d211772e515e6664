import { expect, test } from "vitest";
import { redactUrl } from "../../configs/redact.ts";

test.each([
  ["postgresql://atlas:hunter2@db:5432/atlas", "postgresql://atlas:***@db:5432/atlas"],
  [
    "postgresql://db/atlas?password=hunter2&sslmode=require",
    "postgresql://db/atlas?password=***&sslmode=require",
  ],
  ["https://host/path?api_key=hunter2", "https://host/path?api_key=***"],
  ["http://localhost:8081/", "http://localhost:8081/"],
  ["postgresql://u:hunter2@[bad", "(not a URL)"],
])("%s", (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
});
