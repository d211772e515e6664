import { existsSync } from "node:fs";
import type { AtlasConfig, LlmConfig } from "../configs/config-schema.ts";
import { isOffline } from "../configs/offline-mode.ts";
import { redactUrl } from "../configs/redact.ts";
import { readHolder } from "../database/embedded/folder-lock.ts";
import { openPostgres } from "../database/pg-database.ts";
import { eventsOf, stagesWith } from "../derivation/user-parts.ts";
import { explain } from "../errors/atlas-error.ts";
import { allTopics } from "../log/all-topics.ts";
import { Registry } from "../log/kafka/registry.ts";
import { lagOf } from "../log/runner/caught-up.ts";
import { detectModel } from "./detect-model.ts";
import { openStore } from "./open-store.ts";
import { type Finding, keyVariableOf, probeModel } from "./probe-model.ts";
import { userPartsOf } from "./user-parts.ts";

const KEYS = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"];

/** An id that no registry hands out: asking for it shows that the registry answers, and registers nothing. */
const NO_SCHEMA = 2_147_483_647;

/** The models that a configuration names, by what they are for. */
function modelsOf({ agent, teacher, judge, judges, lane }: AtlasConfig): Map<string, LlmConfig> {
  const models = new Map<string, LlmConfig>();
  if (agent !== undefined && "model" in agent) {
    const { type, name: _name, systemPrompt: _prompt, ...rest } = agent;
    models.set("agent", { provider: type, ...rest });
  }
  if (teacher !== undefined) models.set("teacher", teacher);
  if (judge !== undefined) models.set("judge", judge);
  if (judges?.smallModel !== undefined) models.set("judges' samples", judges.smallModel);
  if (judges?.largeModel !== undefined) models.set("judges' arbitration", judges.largeModel);
  if (lane?.probe !== undefined) models.set("probe", lane.probe);
  return models;
}

/** Keys by the names of their variables; what they hold is never looked at further. */
function keyFindings(models: Iterable<LlmConfig>): Finding[] {
  const needed = new Set<string>();
  for (const model of models)
    if (model.provider !== "simulated" && model.baseUrl === undefined) needed.add(keyVariableOf(model));
  return [...new Set([...needed, ...KEYS])].map((variable): Finding => {
    const name = `key ${variable}`;
    if (process.env[variable]) return { name, status: "ok", detail: "set" };
    return needed.has(variable) && !isOffline()
      ? { name, status: "broken", detail: "not set, and the configuration needs it" }
      : { name, status: "ok", detail: "not set, and not needed" };
  });
}

async function modelFindings(models: ReadonlyMap<string, LlmConfig>): Promise<Finding[]> {
  if (isOffline())
    return [{ name: "models", status: "warning", detail: "simulated, because ATLAS_OFFLINE_MODE is set" }];
  if (models.size === 0) {
    const { client, why } = await detectModel();
    return [{ name: "models", status: client.simulated ? "warning" : "ok", detail: why }];
  }
  return Promise.all(
    [...models].map(([role, model]): Finding | Promise<Finding> => {
      const name = `model of the ${role}`;
      return model.provider === "simulated"
        ? { name, status: "warning", detail: "simulated, as configured" }
        : probeModel(name, model);
    }),
  );
}

async function look(name: string, body: () => Promise<string>): Promise<Finding> {
  try {
    return { name, status: "ok", detail: await body() };
  } catch (error) {
    return { name, status: "broken", detail: explain(error) };
  }
}

async function databaseFinding(url: string): Promise<Finding> {
  return look("database", async () => {
    const db = await openPostgres(url);
    try {
      const { rows } = await db.query<{ version: string }>(
        "select current_setting('server_version') as version",
      );
      return `Postgres ${rows[0]!.version} at ${redactUrl(url)}`;
    } finally {
      await db.close();
    }
  });
}

const registryFinding = (url: string): Promise<Finding> =>
  look("registry", async () => {
    await new Registry(url).fingerprintOf(NO_SCHEMA);
    return `answers at ${redactUrl(url)}`;
  });

/** Who holds the folder of an embedded log; its holder may have gone without a word, which opening the log shows. */
function holderFinding(path: string): Finding {
  const holder = readHolder(path);
  const detail =
    holder === undefined
      ? "nobody holds the folder"
      : `${holder.command} (process ${holder.pid}) has held the folder since ${holder.since}`;
  return { name: "lock", status: "ok", detail };
}

async function logFindings(config: AtlasConfig): Promise<Finding[]> {
  const lags: Finding[] = [];
  const log = await look("log", async () => {
    const parts = await userPartsOf(config);
    const { log, db, close } = await openStore(config.log, undefined, eventsOf(parts));
    try {
      for (const { group, topics } of stagesWith(parts)) {
        const ends = await log.ends(topics);
        const lag = (await lagOf(db, group, ends)).reduce((sum, { behind }) => sum + behind, 0);
        lags.push({
          name: `group ${group}`,
          status: lag === 0 ? "ok" : "warning",
          detail: lag === 0 ? "caught up" : `${lag} records behind`,
        });
      }
      const all = await log.ends(await allTopics(log));
      const events = [...all.values()].flat().reduce((sum, end) => sum + end, 0);
      for (const { level, error } of await log.check())
        lags.push({ name: "log", status: level, detail: explain(error) });
      return `${log.kind} log ${log.id} at ${log.address}: ${events} records, ${log.partitions} partitions`;
    } finally {
      await close();
    }
  });
  return [log, ...lags];
}

async function storeFindings(whole: AtlasConfig): Promise<Finding[]> {
  const config = whole.log;
  if (config.kind === "embedded") {
    if (!existsSync(config.path))
      return [
        { name: "log", status: "ok", detail: `${config.path} does not exist yet; the first run makes it` },
      ];
    return [holderFinding(config.path), ...(await logFindings(whole))];
  }
  const { databaseUrl } = config;
  const database: Finding =
    databaseUrl === undefined
      ? {
          name: "database",
          status: "broken",
          detail: "none is named: ATLAS_DATABASE_URL, or log.database_url",
        }
      : await databaseFinding(databaseUrl);
  const registry = config.kind === "kafka" ? [await registryFinding(config.schemaRegistryUrl)] : [];
  const outside = [database, ...registry];
  if (outside.some(({ status }) => status === "broken")) {
    const detail = "not opened: what it needs is broken";
    return [...outside, { name: "log", status: "broken", detail }];
  }
  return [...outside, ...(await logFindings(whole))];
}

/**
 * Looks at everything that a configuration needs: keys (their names only), models, database, registry, log, and how
 * far its consumers are. Sends no prompt.
 *
 * @example
 * const broken = (await diagnose(loadConfig())).filter(({ status }) => status === "broken");
 */
export async function diagnose(config: AtlasConfig): Promise<Finding[]> {
  const models = modelsOf(config);
  return [
    ...keyFindings(models.values()),
    ...(await modelFindings(models)),
    ...(await storeFindings(config)),
  ];
}
