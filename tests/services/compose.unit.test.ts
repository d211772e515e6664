import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { LOG_VARIABLES } from "../../configs/environment-log.ts";
import { IMAGES } from "./docker.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const Service = z.object({
  image: z.string().optional(),
  build: z.string().optional(),
  command: z.array(z.string()).optional(),
  restart: z.string(),
  environment: z.record(z.string(), z.string()),
  ports: z.array(z.string()),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({
    test: z.tuple([z.literal("CMD")], z.string()),
    interval: z.string(),
    timeout: z.string(),
    retries: z.number(),
    start_period: z.string(),
  }),
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
  it.each(services)("checks the health of %s and restarts it", (_, service) => {
    expect(service.restart).toBe("unless-stopped");
    expect(service.healthcheck.test.length).toBeGreaterThan(1);
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
    const password = postgres.environment.POSTGRES_PASSWORD;
    expect(worker.environment.ATLAS_DATABASE_URL).toBe(
      `postgres://${postgres.environment.POSTGRES_USER}:${password}@postgres:5432/${postgres.environment.POSTGRES_DB}`,
    );
  });

  it("lets programs on this machine reach the broker where it says it is", () => {
    expect(kafka.environment.KAFKA_ADVERTISED_LISTENERS).toContain("OUTSIDE://127.0.0.1:9092");
  });

  it("keeps the data of Kafka and Postgres in named volumes", () => {
    const mounted = [kafka, postgres].flatMap((service) =>
      service.volumes.map((volume) => volume.split(":")),
    );
    expect(mounted.map(([name]) => name)).toEqual(Object.keys(compose.volumes));
    expect(mounted[0]?.[1]).toBe(kafka.environment.KAFKA_LOG_DIRS);
  });
});

describe("Dockerfile", () => {
  const lines = read("Dockerfile").split("\n");

  it("builds from the lock file and runs without what only building needs", () => {
    expect(lines.some((line) => line.startsWith("RUN npm ci"))).toBe(true);
    expect(lines.some((line) => line.includes("npm prune --omit=dev"))).toBe(true);
    expect(
      lines.filter((line) => line.startsWith("FROM")).every((line) => line.includes("node:24-slim")),
    ).toBe(true);
  });

  it("does not run as root", () => {
    expect(lines.filter((line) => line.startsWith("USER"))).toEqual(["USER node"]);
  });

  it("is given every folder that the build compiles", () => {
    const { include } = JSON.parse(read("tsconfig.build.json")) as { include: string[] };
    const allowed = read(".dockerignore").split("\n");
    for (const pattern of include) expect(allowed).toContain(`!${pattern.split("/")[0]}`);
  });
});
