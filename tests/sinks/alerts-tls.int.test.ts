import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { post } from "../../sinks/alerts/post.ts";
import { notRun } from "../services/not-run.ts";

const openssl = spawnSync("openssl", ["version"]).status === 0;
if (!openssl) await notRun("alerts behind TLS: there is no openssl to make a certificate with");

describe.skipIf(!openssl)("a destination behind TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const received: string[] = [];
  let server: ReturnType<typeof createServer>;
  let port = 0;

  beforeAll(async () => {
    const made = [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-keyout",
      key,
      "-out",
      cert,
    ];
    const names = ["-subj", "/CN=hook.example", "-addext", "subjectAltName=DNS:hook.example"];
    expect(spawnSync("openssl", [...made, ...names]).status).toBe(0);
    server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      received.push(`${request.method} ${request.url} ${request.headers.host} ${body}`);
      response.writeHead(202).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => {
    server?.closeAllConnections();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Posts to a name that resolves to loopback, in a process that trusts the certificate. */
  async function trusting(host: string): Promise<string> {
    const module = JSON.stringify(resolve(import.meta.dirname, "../../sinks/alerts/post.ts"));
    const options = `{ url: "https://${host}:${port}/a?b=1", allowPrivate: true, headers: {}, body: "hello", timeoutMs: 5000, resolve: async () => ["127.0.0.1"] }`;
    const code = `const { post } = await import(${module});
      console.log(await post(${options}).then(({ status }) => status, (error) => error.code));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: cert },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let written = "";
    child.stdout.on("data", (chunk) => {
      written += String(chunk);
    });
    await once(child, "close");
    return written.trim();
  }

  test("is reached under its name, and only with the certificate of that name", async () => {
    expect(await trusting("hook.example")).toBe("202");
    expect(received).toEqual([`POST /a?b=1 hook.example:${port} hello`]);
    expect(await trusting("other.example")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(received).toHaveLength(1);
  });

  test("gets nothing where its certificate is not trusted", async () => {
    const resolveHere = async () => ["127.0.0.1"];
    const options = { headers: {}, body: "hello", timeoutMs: 5000, allowPrivate: true, resolve: resolveHere };
    const before = received.length;
    await expect(post({ ...options, url: `https://hook.example:${port}/` })).rejects.toMatchObject({
      code: "DEPTH_ZERO_SELF_SIGNED_CERT",
    });
    expect(received).toHaveLength(before);
  });
});
