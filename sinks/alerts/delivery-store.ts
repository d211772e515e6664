import type { Database, Queryable } from "../../database/database.ts";
import {
  countOpen as countItems,
  enqueue,
  forgetSessions,
  type ListedItem,
  listItems,
  retryFailed as retryItems,
} from "../../log/queue/queue-items.ts";
import type { Uuid } from "../../schemas/generated/events.ts";
import type { Alert } from "./alert.ts";

/** Alerts on their way, a lane for each destination. */
export const ALERT_QUEUE = "alerts";

/** What is kept of an alert. The body is fixed when it is kept. */
export interface KeptAlert extends Pick<Alert, "kind" | "learning_key"> {
  body: string;
}

/** One alert on its way to one destination. */
export interface Delivery {
  id: string;
  destination: string;
  kind: string;
  status: "pending" | "delivered" | "failed";
  sessionId: string | null;
  /** Null for an event of a user's own. */
  learningKey: string | null;
  attempts: number;
  createdAt: Date;
  dueAt: Date;
  lastError: string | null;
}

/** An alert with the bytes that are sent. */
export interface Outgoing {
  alert: Alert;
  body: string;
}

const STATUS = { waiting: "pending", done: "delivered", failed: "failed" } as const;
const ITEM_STATUS = { pending: "waiting", delivered: "done", failed: "failed" } as const;

/** Keeps alerts until they are delivered, in the unit of work that read what raised them. */
export const keepDeliveries = (tx: Queryable, outgoing: readonly Outgoing[]): Promise<void> =>
  enqueue(
    tx,
    ALERT_QUEUE,
    outgoing.map(({ alert, body }) => {
      const { idempotency_key, destination, session_id, kind, learning_key } = alert;
      const payload: KeptAlert = { kind, learning_key, body };
      return { id: idempotency_key, lane: destination, sessionId: session_id, payload };
    }),
  );

/** Forgets what is kept of sessions, delivered or not. */
export const dropDeliveries = (tx: Queryable, sessions: readonly Uuid[]): Promise<void> =>
  forgetSessions(tx, ALERT_QUEUE, sessions);

const deliveryOf = ({ payload, lane, tries, status, ...item }: ListedItem<KeptAlert>): Delivery => ({
  id: item.id,
  destination: lane,
  kind: payload.kind,
  status: STATUS[status],
  sessionId: item.sessionId,
  learningKey: payload.learning_key,
  attempts: tries,
  createdAt: item.createdAt,
  dueAt: item.dueAt ?? item.createdAt,
  lastError: item.lastError,
});

/** Deliveries, the newest first. */
export async function listDeliveries(
  db: Database,
  { statuses, limit }: { statuses: readonly Delivery["status"][]; limit: number },
): Promise<Delivery[]> {
  const wanted = { statuses: statuses.map((status) => ITEM_STATUS[status]), limit };
  return (await listItems<KeptAlert>(db, ALERT_QUEUE, wanted)).map(deliveryOf);
}

/**
 * Makes failed deliveries due again, with all their attempts before them.
 *
 * @param destination of this destination only
 * @returns how many
 */
export const retryFailed = (db: Database, destination?: string): Promise<number> =>
  retryItems(db, ALERT_QUEUE, destination);

/** How many deliveries of a destination wait or have failed. */
export interface OpenDeliveries {
  destination: string;
  status: "pending" | "failed";
  count: number;
}

/** Deliveries that are not done, by destination. */
export async function countOpen(db: Queryable): Promise<OpenDeliveries[]> {
  const items = await countItems(db, ALERT_QUEUE);
  return items.map(({ lane, status, count }) => ({ destination: lane, status: STATUS[status], count }));
}
