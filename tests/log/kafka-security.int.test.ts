import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openKafkaLog } from "../../log/kafka/open-kafka-log.ts";
import type { KafkaLogOptions } from "../../log/kafka/settings.ts";
import { newId } from "../../schemas/identity.ts";
import { recordsOf } from "../as-readers.ts";
import { freePort } from "../services/native/free-port.ts";
import { type KafkaInstance, startKafka } from "../services/native/kafka.ts";
import { kafka, nativeMissing } from "../services/services.ts";
import { facts } from "./facts.ts";
import { freshPrefix } from "./kafka-under-test.ts";

const STORE_PASSWORD = "changeit";
const USER = { mechanism: "plain", username: "atlas", password: "secret" } as const;

/** A key and a certificate of localhost, made by the Java that the broker runs on. */
async function makeKeys(folder: string): Promise<{ store: string; certificate: string }> {
  const store = join(folder, "keys.p12");
  const certificate = join(folder, "certificate.pem");
  const keytool = (...args: string[]): Promise<unknown> =>
    promisify(execFile)("keytool", [
      ...args,
      "-keystore",
      store,
      "-storepass",
      STORE_PASSWORD,
      "-alias",
      "broker",
    ]);
  await keytool(
    ...["-genkeypair", "-keyalg", "EC", "-storetype", "PKCS12", "-dname", "CN=localhost"],
    ...["-ext", "SAN=dns:localhost,ip:127.0.0.1"],
  );
  await keytool("-exportcert", "-rfc", "-file", certificate);
  return { store, certificate };
}

describe.skipIf(await nativeMissing("kafka"))("the kafka log behind TLS and a password", () => {
  const folder = mkdtempSync(join(tmpdir(), "atlas-kafka-keys-"));
  let broker: KafkaInstance;
  let options: KafkaLogOptions;

  beforeAll(async () => {
    const { store, certificate } = await makeKeys(folder);
    const port = await freePort();
    const login = `org.apache.kafka.common.security.plain.PlainLoginModule required user_atlas="${USER.password}";`;
    broker = await startKafka({
      proxied: { listen: port, advertise: port },
      properties: {
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:SASL_SSL",
        "ssl.keystore.location": store,
        "ssl.keystore.password": STORE_PASSWORD,
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.proxied.plain.sasl.jaas.config": login,
      },
    });
    options = {
      brokers: [`127.0.0.1:${port}`],
      schemaRegistryUrl: (await kafka()).schemaRegistryUrl,
      topicPrefix: freshPrefix(),
      ssl: { ca: readFileSync(certificate) },
      sasl: USER,
    };
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true });
  });

  test("takes and gives events", async () => {
    const log = await openKafkaLog(options);
    await log.append(facts(newId(), 3).map(log.mask));
    expect(await recordsOf(log, ["atlas.sessions"])).toHaveLength(3);
    await log.close();
  });

  test("says at once that the password is wrong, without showing it", async () => {
    const opening = openKafkaLog({ ...options, sasl: { ...USER, password: "guessed" } });
    const error: unknown = await opening.catch((failure: unknown) => failure);
    expect(error).toMatchObject({
      code: "ATLAS_LOG_MISCONFIGURED",
      hint: expect.stringContaining("password"),
    });
    expect(String(error)).not.toContain("guessed");
  });

  test("does not talk to a broker whose certificate it cannot check", async () => {
    const opening = openKafkaLog({ ...options, ssl: true, openTimeoutMs: 1000 });
    await expect(opening).rejects.toMatchObject({
      code: "ATLAS_LOG_UNREACHABLE",
      message: expect.stringMatching(/certificate/),
    });
  });
});
