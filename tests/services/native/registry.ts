import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cached, maven } from "./download.ts";
import { freePort } from "./free-port.ts";
import { type Instance, startInstance } from "./instance.ts";
import { JVM_OPTIONS, requireJava } from "./java.ts";

const VERSION = "3.0.9";

/** A schema registry of one's own. */
export interface RegistryInstance extends Instance {
  /** Where the Confluent API begins: `${schemaRegistryUrl}/subjects`. */
  schemaRegistryUrl: string;
}

/**
 * Starts an Apicurio Registry on loopback, which speaks the Confluent API. It needs no broker and keeps its schemas and
 * their ids over `restart`. Unlike Confluent's, its compatibility is NONE until a subject's is set.
 *
 * @throws ServiceUnavailable without Java or when it cannot be downloaded
 * @example
 * await using registry = await startRegistry();
 * await fetch(`${registry.schemaRegistryUrl}/subjects`);
 */
export async function startRegistry(): Promise<RegistryInstance> {
  const app = await registryApp();
  const port = await freePort();
  const schemaRegistryUrl = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const instance = await startInstance({
    name: "registry",
    command: "java",
    args: (folder) => [
      "-Xmx384m",
      ...JVM_OPTIONS,
      "-Dquarkus.http.host=127.0.0.1",
      `-Dquarkus.http.port=${port}`,
      "-Dquarkus.http.access-log.enabled=false",
      "-Dapicurio.storage.kind=sql",
      "-Dapicurio.storage.sql.kind=h2",
      `-Dapicurio.datasource.url=jdbc:h2:file:${join(folder, "schemas")};WRITE_DELAY=0`,
      `-Dvertx.cacheDirBase=${join(folder, "vertx-cache")}`,
      "-jar",
      join(app, `apicurio-registry-app-${VERSION}-runner.jar`),
    ],
    prepare: async () => {},
    async ready() {
      const response = await fetch(`${schemaRegistryUrl}/subjects`, { signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error(`the registry answers with ${response.status}`);
      await response.arrayBuffer();
    },
    endSignal: "SIGKILL",
  });
  return Object.assign(instance, { schemaRegistryUrl });
}

/**
 * The folder that the registry runs from, fetched if need be.
 *
 * @throws ServiceUnavailable without Java or when it cannot be downloaded
 */
export async function registryApp(): Promise<string> {
  await requireJava("The schema registry");
  return cached(`apicurio-registry-${VERSION}`, fetchApp);
}

async function fetchApp(folder: string): Promise<void> {
  // Only the `copy` goal of this plugin version takes an artifact whose parent is not published.
  await maven(
    folder,
    "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy",
    `-Dartifact=io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`,
    "-DoutputDirectory=.",
  );
  const archive = `apicurio-registry-app-${VERSION}-all.tar.gz`;
  await promisify(execFile)("tar", ["-xzf", archive], { cwd: folder });
  rmSync(join(folder, archive));
}
