import type { AtlasConfig } from "../configs/config-schema.ts";
import type { Database } from "../database/database.ts";
import { AtlasError, isAtlasError } from "../errors/atlas-error.ts";
import type { Apply, Consumer, EventLog } from "../log/event-log.ts";
import { startsOf } from "../log/runner/group-starts.ts";
import type { Topic } from "../schemas/topics.ts";
import { ALERTS, alertConsumer, alertTopics } from "../sinks/alerts/alert-consumer.ts";
import { checkUrl } from "../sinks/alerts/check-url.ts";
import { type CourierEvents, startCourier } from "../sinks/alerts/courier.ts";
import { type Delivery, listDeliveries, retryFailed } from "../sinks/alerts/delivery-store.ts";
import type { Destination } from "../sinks/alerts/destination.ts";
import { METRICS } from "../sinks/metrics/metrics-consumer.ts";
import { type ConsumerEvents, consumerEvents } from "./consumer-events.ts";

type DestinationConfig = AtlasConfig["alerts"][number];

/** How long a process that ends goes on delivering what is due. */
const GRACE_MS = 5000;

function fromEnvironment(name: string, variable: string, env: NodeJS.ProcessEnv): string {
  const value = env[variable]?.trim() ?? "";
  if (value !== "") return value;
  throw new AtlasError("ATLAS_CONFIG_INVALID", `the environment variable ${variable} is not set`, {
    where: `alerts, ${name}`,
    hint: `Set ${variable}, or take the destination out.`,
  });
}

/**
 * A destination of the configuration with what the environment holds of it, checked as far as can be without asking
 * a resolver.
 *
 * @throws AtlasError ATLAS_CONFIG_INVALID, ATLAS_ALERT_REFUSED
 */
export function destinationOf(config: DestinationConfig, env: NodeJS.ProcessEnv): Destination {
  const { url, urlEnv, ...rest } = config;
  const { name } = config;
  const secretEnv = config.type === "webhook" ? config.secretEnv : undefined;
  const destination = {
    ...rest,
    url: url ?? fromEnvironment(name, urlEnv!, env),
    secret: secretEnv === undefined ? undefined : fromEnvironment(name, secretEnv, env),
  };
  try {
    checkUrl(destination.url, destination);
  } catch (error) {
    if (!isAtlasError(error)) throw error;
    const where = `alerts, ${name}: ${error.where ?? "url"}`;
    throw new AtlasError("ATLAS_ALERT_REFUSED", error.message, { where, hint: error.hint ?? "" });
  }
  return destination;
}

/** The alerts of one process. */
export interface Alerting {
  readonly consumer: Consumer;
  readonly topics: readonly Topic[];
  /** Stops reading, delivers for a moment what is due, and ends; what is left is delivered by whoever is next. */
  stop(): Promise<void>;
}

/** How to run them. */
export interface AlertingOptions extends CourierEvents, ConsumerEvents {
  env?: NodeJS.ProcessEnv;
  graceMs?: number;
}

/**
 * Tells the configured destinations about drift and rewards from now on: a consumer keeps what is to be told, a
 * courier for each destination delivers it.
 *
 * @param log with a database
 * @throws AtlasError ATLAS_CONFIG_INVALID, ATLAS_ALERT_REFUSED, ATLAS_DATABASE_TOO_NEW
 */
export async function startAlerting(
  log: EventLog,
  configs: readonly DestinationConfig[],
  options: AlertingOptions = {},
): Promise<Alerting> {
  const { env = process.env, graceMs = GRACE_MS, onDelivery, logger } = options;
  const destinations = configs.map((config) => destinationOf(config, env));
  const db = log.db!;
  const topics = alertTopics(destinations);
  const starts = await startsOf(log, ALERTS, topics);
  const consumer = await log.consume(
    { group: ALERTS, topics, ...consumerEvents(ALERTS, options) },
    alertConsumer(destinations, starts),
  );
  const couriers = destinations.map((destination) => startCourier(db, destination, { onDelivery, logger }));
  return {
    consumer,
    topics,
    stop: async () => {
      await consumer.stop();
      await Promise.all(couriers.map((courier) => courier.stop(graceMs)));
    },
  };
}

/**
 * How records that the sinks' groups set aside are applied after all, by group. What a metric missed stays missed: it
 * counts what comes in.
 */
export async function retryingSinks(
  log: EventLog,
  configs: readonly DestinationConfig[],
): Promise<Record<string, Apply>> {
  const nothing: Apply = async () => undefined;
  if (configs.length === 0) return { [ALERTS]: nothing, [METRICS]: nothing };
  const starts = await startsOf(log, ALERTS, alertTopics(configs));
  return { [ALERTS]: alertConsumer(configs, starts), [METRICS]: nothing };
}

/** An alert on its way to a destination. */
export type AlertDelivery = Delivery;

/**
 * Alerts that wait or have failed, the newest first.
 *
 * @param options `all`: also those delivered within the last 30 days; `limit`: 1 or more
 */
export async function alertDeliveries(
  db: Database,
  { all, limit }: { all: boolean; limit: number },
): Promise<AlertDelivery[]> {
  const statuses: Delivery["status"][] = ["pending", "failed", ...(all ? ["delivered" as const] : [])];
  return listDeliveries(db, { statuses, limit });
}

/**
 * Makes failed alerts due again; processes that host consumers deliver them.
 *
 * @param destination to this destination only
 * @returns how many
 */
export async function retryAlerts(db: Database, destination?: string): Promise<number> {
  return retryFailed(db, destination);
}
