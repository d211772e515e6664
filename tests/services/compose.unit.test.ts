import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { LOG_VARIABLES } from "../../configs/environment-log.ts";
import { IMAGES } from "./docker.ts";

/** A tag that names one version: at least major and minor, and no `latest`. */
const EXACT_TAG = /^[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.-]+)?$/;

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const Service = z.object({
  image: z.string().optional(),
  build: z.string().optional(),
  command: z.array(z.string()).optional(),
  restart: z.string(),
  environment: z.record(z.string(), z.string()),
  ports: z.array(z.string()),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z
    .object({
      test: z.tuple([z.literal("CMD")], z.string()),
      interval: z.string(),
      timeout: z.string(),
      retries: z.number(),
      start_period: z.string(),
    })
    .optional(),
});
const compose = z
  .object({
    services: z.object({ kafka: Service, "schema-registry": Service, postgres: Service, worker: Service }),
    volumes: z.record(z.string(), z.null()),
  })
  .parse(parse(read("docker-compose.yml")));
const services = Object.entries(compose.services);
const { kafka, postgres, worker } = compose.services;

describe("docker-compose.yml", () => {
  it.each(services)("checks the health of %s, or its image does, and restarts it", (_, service) => {
    expect(service.restart).toBe("unless-stopped");
    if (service.build === undefined) expect(service.healthcheck?.test.length).toBeGreaterThan(1);
  });

  it("takes images by exact tags", () => {
    for (const [, { image }] of services) if (image !== undefined) expect(image).toMatch(EXACT_TAG);
  });

  it("holds no password, and every one that it needs is in the example", () => {
    const example = read(".env.example");
    const variables = [...read("docker-compose.yml").matchAll(/\$\{(\w+)([^}]*)\}/g)];
    expect(variables.length).toBeGreaterThan(0);
    for (const [, name, otherwise] of variables) {
      expect(otherwise).toBe(":?see .env.example");
      expect(example).toMatch(new RegExp(`^${name}=$`, "m"));
    }
    for (const [, { environment }] of services)
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|TOKEN/.test(name)) expect(value).toMatch(/^\$\{\w+:\?[^}]+\}$/);
    expect(read(".gitignore").split("\n")).toContain(".env");
  });

  it("lets the worker gain no rights", () => {
    expect(worker.cap_drop).toEqual(["ALL"]);
    expect(worker.security_opt).toEqual(["no-new-privileges:true"]);
  });

  it("publishes on loopback only", () => {
    expect(services.flatMap(([, service]) => service.ports)).toEqual([
      "127.0.0.1:9092:9092",
      "127.0.0.1:8081:8081",
      "127.0.0.1:5433:5432",
      "127.0.0.1:9464:9464",
    ]);
  });

  it("runs the images that the tests run", () => {
    expect({
      kafka: kafka.image,
      registry: compose.services["schema-registry"].image,
      postgres: postgres.image,
    }).toEqual(IMAGES);
  });

  it("starts each service when what it needs is healthy", () => {
    for (const [, service] of services) {
      for (const [name, { condition }] of Object.entries(service.depends_on)) {
        expect(condition).toBe("service_healthy");
        expect(compose.services).toHaveProperty(name);
      }
    }
    expect(Object.keys(worker.depends_on).sort()).toEqual(["kafka", "postgres", "schema-registry"]);
    expect(Object.keys(compose.services["schema-registry"].depends_on)).toEqual(["kafka"]);
  });

  it("gives the worker the variables it reads, with addresses inside the network", () => {
    expect(worker.build).toBe(".");
    expect(worker.command).toEqual(["atlas", "worker"]);
    expect(Object.keys(worker.environment)).toEqual(expect.arrayContaining(Object.values(LOG_VARIABLES)));
    const inside = kafka.environment.KAFKA_ADVERTISED_LISTENERS!.split(",")[0];
    expect(inside).toBe(`INSIDE://${worker.environment.ATLAS_KAFKA_BROKERS}`);
    const password = postgres.environment.ATLAS_POSTGRES_PASSWORD;
    expect(worker.environment.ATLAS_DATABASE_URL).toBe(`postgres://atlas:${password}@postgres:5432/atlas`);
    expect(postgres.environment.POSTGRES_USER).not.toBe("atlas");
    expect(postgres.environment.POSTGRES_PASSWORD).not.toBe(password);
  });

  it("lets programs on this machine reach the broker where it says it is", () => {
    expect(kafka.environment.KAFKA_ADVERTISED_LISTENERS).toContain("OUTSIDE://127.0.0.1:9092");
  });

  it("keeps the data of Kafka and Postgres in named volumes", () => {
    const mounted = [kafka, postgres]
      .flatMap((service) => service.volumes.map((volume) => volume.split(":")))
      .filter(([name]) => !name!.startsWith("."));
    expect(mounted.map(([name]) => name)).toEqual(Object.keys(compose.volumes));
    expect(mounted[0]?.[1]).toBe(kafka.environment.KAFKA_LOG_DIRS);
  });
});

describe("Dockerfile", () => {
  const lines = read("Dockerfile").split("\n");

  it("builds from the lock file and runs without what only building needs", () => {
    expect(lines.some((line) => line.startsWith("RUN npm ci"))).toBe(true);
    expect(lines.some((line) => line.includes("npm prune --omit=dev"))).toBe(true);
    const { devDependencies } = JSON.parse(read("package.json")) as { devDependencies: { node: string } };
    const images = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
    expect(images).toEqual(Array(2).fill(`node:${devDependencies.node}-trixie-slim`));
    for (const image of images) expect(image).toMatch(EXACT_TAG);
  });

  it("does not run as root", () => {
    expect(lines.filter((line) => line.startsWith("USER"))).toEqual(["USER node"]);
  });

  it.each([
    [200, 0],
    [503, 1],
  ])("asks a worker for its health with Node alone: %i ends with %i", async (status, code) => {
    const [, command] = /^ {2}CMD (\[.*\])$/m.exec(read("Dockerfile"))!;
    const [program, ...args] = z.array(z.string()).parse(JSON.parse(command!));
    expect(program).toBe("node");
    await using server = createServer((request, response) => {
      response.writeHead(request.url === "/livez" ? status : 404).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const child = spawn(process.execPath, args, { env: { ATLAS_WORKER_PORT: String(port) } });
    expect(await once(child, "close")).toEqual([code, null]);
  });

  it("is given every folder that the build compiles", () => {
    const { include } = JSON.parse(read("tsconfig.build.json")) as { include: string[] };
    const allowed = read(".dockerignore").split("\n");
    for (const pattern of include) expect(allowed).toContain(`!${pattern.split("/")[0]}`);
  });
});
