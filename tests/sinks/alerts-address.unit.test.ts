import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { isAtlasError } from "../../errors/atlas-error.ts";
import { checkUrl } from "../../sinks/alerts/check-url.ts";
import { addressesOf, connectToAddress, connectToOneOf } from "../../sinks/alerts/connect.ts";
import { post } from "../../sinks/alerts/post.ts";
import { isPublicAddress } from "../../sinks/alerts/public-address.ts";

const GUARDED = { allowPrivate: false };
const OPEN = { allowPrivate: true };
const never = new AbortController().signal;

const refusal = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (isAtlasError(error, "ATLAS_ALERT_REFUSED")) return error.message;
    throw error;
  }
  throw new Error("it was let through");
};

/** A server on loopback that counts who connects. */
async function listening(answer: Parameters<typeof createServer>[1]): Promise<{
  port: number;
  url: string;
  connections: () => number;
}> {
  let connections = 0;
  const server: Server = createServer(answer!);
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}/hook`, connections: () => connections };
}

const INSIDE = [
  ["unspecified", "0.0.0.0"],
  ["loopback", "127.0.0.1"],
  ["loopback", "127.255.255.254"],
  ["private", "10.1.2.3"],
  ["private", "172.16.0.1"],
  ["private", "192.168.1.1"],
  ["link-local, metadata", "169.254.169.254"],
  ["carrier-grade NAT", "100.64.0.1"],
  ["benchmarks", "198.18.0.1"],
  ["documentation", "203.0.113.9"],
  ["multicast", "224.0.0.1"],
  ["reserved", "240.0.0.1"],
  ["broadcast", "255.255.255.255"],
  ["loopback", "::1"],
  ["unspecified", "::"],
  ["IPv4-mapped", "::ffff:127.0.0.1"],
  ["IPv4-mapped, public inside", "::ffff:8.8.8.8"],
  ["IPv4-mapped in hex", "::ffff:7f00:1"],
  ["IPv4-compatible", "::127.0.0.1"],
  ["IPv4-translated", "::ffff:0:127.0.0.1"],
  ["NAT64", "64:ff9b::7f00:1"],
  ["NAT64 of a site", "64:ff9b:1::a00:1"],
  ["6to4", "2002:7f00:1::"],
  ["Teredo", "2001::7f00:1"],
  ["unique local", "fd00:ec2::254"],
  ["link-local", "fe80::1"],
  ["site-local", "fec0::1"],
  ["link-local with a zone", "fe80::1%eth0"],
  ["multicast", "ff02::1"],
  ["documentation", "2001:db8::1"],
  ["discard", "100::1"],
  ["nothing", ""],
  ["a name", "example.com"],
  ["decimal", "2130706433"],
  ["octal", "0177.0.0.1"],
  ["short", "127.1"],
] as const;

test.each(INSIDE)("%s is no public address: %s", (_, address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::200e"])(
  "%s is a public address",
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

describe("the URL", () => {
  test.each([
    "http://example.com/hook",
    "ftp://example.com/hook",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "nothing",
    "https://user:secret@example.com/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://printer.local/",
    "https://db/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://①②⑦.0.0.1/",
    "https://0/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fd00::1]/",
  ])("%s is refused", async (url) => {
    expect(await refusal(() => checkUrl(url, GUARDED))).not.toBe("");
  });

  test.each(["https://example.com/hook", "https://8.8.8.8/", "https://[2606:4700::1111]:8443/a"])(
    "%s passes",
    (url) => {
      expect(checkUrl(url, GUARDED).url.href).toBe(url);
    },
  );

  test("allow_private lets http and the inside through, and no other scheme", async () => {
    expect(checkUrl("http://127.0.0.1:9/", OPEN).host).toBe("127.0.0.1");
    expect(await refusal(() => checkUrl("file:///etc/passwd", OPEN))).toContain("file:");
  });

  test("what it says does not repeat the URL, which may be a secret", async () => {
    const error = await refusal(() => checkUrl("http://hooks.example.com/services/T0/SECRET", GUARDED));
    expect(error).not.toContain("SECRET");
  });
});

describe("the addresses of its host", () => {
  test("one that is not public refuses them all", async () => {
    const resolve = async () => ["8.8.8.8", "10.0.0.1"];
    expect(await refusal(() => addressesOf("a.example", GUARDED, resolve))).toContain("10.0.0.1");
    expect(await addressesOf("a.example", OPEN, resolve)).toEqual(["8.8.8.8", "10.0.0.1"]);
  });

  test("a name without one is refused", async () => {
    expect(await refusal(() => addressesOf("a.example", GUARDED, async () => []))).toContain("no address");
  });
});

describe("the connection", () => {
  test("goes to no address that is not public, whoever checked it before", async () => {
    const { port, connections } = await listening((_, response) => response.end());
    const connect = () => connectToAddress("127.0.0.1", port, GUARDED, never);
    expect(await refusal(connect)).toContain("not a public address");
    expect(connections()).toBe(0);
  });

  test("the next address is tried where one does not answer", async () => {
    const { port } = await listening((_, response) => response.end());
    const socket = await connectToOneOf(["127.0.0.9", "127.0.0.1"], port, OPEN, never);
    expect(socket.remoteAddress).toBe("127.0.0.1");
    socket.destroy();
  });

  test("a resolver that changes its answer is asked once, and cannot lead elsewhere", async () => {
    const { port, connections } = await listening((_, response) => response.end());
    const asked: string[] = [];
    const answers = [["10.255.255.1"], ["127.0.0.1"]];
    const resolve = async (host: string) => {
      asked.push(host);
      return answers[asked.length - 1]!;
    };
    const options = { headers: {}, body: "", timeoutMs: 300, resolve };
    const url = `https://rebinding.example:${port}/`;
    // Let through as an address of the inside, it is connected to and to nothing else: there is no second look-up.
    await expect(post({ ...options, url, allowPrivate: true })).rejects.toThrow();
    expect(asked).toEqual(["rebinding.example"]);
    // The next delivery asks again, and is refused.
    expect(await refusal(() => post({ ...options, url, allowPrivate: false }))).toContain("127.0.0.1");
    expect(connections()).toBe(0);
  });
});

describe("the answer", () => {
  test("a redirect is an answer, and followed nowhere", async () => {
    const inside = await listening((_, response) => response.end("secrets"));
    for (const location of ["http://169.254.169.254/latest/meta-data/", inside.url]) {
      const outside = await listening((_, response) => {
        response.writeHead(307, { location, "retry-after": "7" }).end();
      });
      const options = { headers: {}, body: "{}", timeoutMs: 2000, allowPrivate: true };
      expect(await post({ ...options, url: outside.url })).toEqual({ status: 307, retryAfterMs: 7000 });
    }
    expect(inside.connections()).toBe(0);
  });

  test("an endpoint that never answers, or never ends its answer, is not waited for", async () => {
    const silent = await listening(() => undefined);
    const options = { headers: {}, body: "{}", timeoutMs: 200, allowPrivate: true };
    await expect(post({ ...options, url: silent.url })).rejects.toThrow();
    const endless = await listening((_, response) => {
      response.writeHead(200).write("x");
    });
    expect((await post({ ...options, url: endless.url })).status).toBe(200);
  });
});
