import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { EMBEDDED_TABLES } from "../../app/open-store.ts";
import type { Database } from "../../database/database.ts";
import { openEmbedded } from "../../database/embedded/open-embedded.ts";
import { openPostgres } from "../../database/pg-database.ts";
import { prepareLogTables } from "../../log/log-tables.ts";
import {
  countOpen,
  enqueue,
  forgetDone,
  forgetSessions,
  listItems,
  makeDue,
  type NewItem,
  retryFailed,
  sessionsIn,
} from "../../log/queue/queue-items.ts";
import {
  claim,
  complete,
  giveUp,
  release,
  releaseGone,
  renew,
  retryLater,
  saveResult,
} from "../../log/queue/queue-leases.ts";
import { type Handle, type Outcome, type WorkOptions, workQueue } from "../../log/queue/work-queue.ts";
import { memberName } from "../../log/runner/member.ts";
import { newId } from "../../schemas/identity.ts";
import { missing, postgres } from "../services/services.ts";

const HOUR = 3_600_000;
const PATIENT = { timeout: 30_000, interval: 20 };
const ALL = { statuses: ["waiting", "done", "failed"], limit: 100 } as const;
const item = (id: string, more: Partial<NewItem> = {}): NewItem => ({ id, payload: id, ...more });

const PLACES = [
  {
    name: "the embedded database",
    skip: false,
    place: async () => mkdtempSync(join(tmpdir(), "atlas-queue-")),
    remove: (folder: string) => rmSync(folder, { recursive: true, force: true }),
  },
  {
    name: "a Postgres server",
    skip: await missing("postgres"),
    place: async () => (await postgres()).url,
    remove: () => undefined,
  },
];

describe.for(PLACES.filter(({ skip }) => !skip))("a queue on $name", ({ place, remove }) => {
  let at: string;
  let db: Database;
  let queue: string;
  let queues = 0;

  beforeAll(async () => {
    at = await place();
    db = await (at.includes("://") ? openPostgres(at) : openEmbedded(at, { tables: EMBEDDED_TABLES }));
    await prepareLogTables(db);
  });
  afterAll(async () => {
    await db.close();
    remove(at);
  });

  const fresh = async (...items: readonly NewItem[]): Promise<void> => {
    queues += 1;
    queue = `queue-${queues}`;
    await enqueue(db, queue, items);
  };
  const take = (most = 1, leaseMs = HOUR, lane = "") =>
    claim<string>(db, { queue, lane, holder: memberName(), leaseMs }, most);
  const list = () => listItems<string>(db, queue, ALL);
  const passed = (id: string) =>
    db.query("update atlas_log.queue set due_at = now() where queue = $1 and id = $2", [queue, id]);
  /** Milliseconds until an item is due, by the database's clock. */
  const dueIn = async (id: string): Promise<number> => {
    const { rows } = await db.query<{ ms: number }>(
      `select (extract(epoch from due_at - now()) * 1000)::float8 as ms from atlas_log.queue
        where queue = $1 and id = $2`,
      [queue, id],
    );
    return rows[0]!.ms;
  };
  const working = (handle: Handle<string>, more: Partial<WorkOptions<string>> = {}) => {
    const worker = workQueue<string>(db, queue, handle, {
      backoff: { firstMs: 1, longestMs: 1 },
      everyMs: 20,
      ...more,
    });
    onTestFinished(() => worker.stop());
    return worker;
  };

  test("work is there if the unit that found it commits, and once, however often it is found", async () => {
    await fresh();
    const failing = db.transaction(async (tx) => {
      await enqueue(tx, queue, [item("a")]);
      throw new Error("rolled back");
    });
    await expect(failing).rejects.toThrow("rolled back");
    expect(await take()).toEqual([]);
    await db.transaction((tx) => enqueue(tx, queue, [item("a"), item("b")]));
    await enqueue(db, queue, [item("b", { payload: "other" }), item("c")]);
    expect((await take(5)).map(({ payload }) => payload)).toEqual(["a", "b", "c"]);
  });

  test("what has been due for longest comes first, lane by lane; what is parked comes when it is made due", async () => {
    const session = newId();
    await fresh(
      item("z"),
      item("y", { lane: "other" }),
      item("x", { parked: true, sessionId: session }),
      item("w"),
    );
    expect((await take(5)).map(({ id }) => id)).toEqual(["z", "w"]);
    expect((await take(5, HOUR, "other")).map(({ id }) => id)).toEqual(["y"]);
    await makeDue(db, queue, session);
    const [parked] = await take();
    expect(parked).toMatchObject({ id: "x", tries: 1, result: null, lastError: null });
    // It is held: that its session ends again gives it to nobody else.
    await makeDue(db, queue, session);
    expect(await take()).toEqual([]);
  });

  test("two workers never hold one item at a time", async () => {
    const ids = Array.from({ length: 24 }, (_, n) => `item ${n}`);
    await fresh(...ids.map((id) => item(id)));
    const held = new Set<string>();
    const done: string[] = [];
    const twice: string[] = [];
    const handle: Handle<string> = async ({ id }) => {
      if (held.has(id)) twice.push(id);
      held.add(id);
      await new Promise(setImmediate);
      held.delete(id);
      done.push(id);
      return undefined;
    };
    for (let worker = 0; worker < 2; worker += 1) working(handle, { concurrency: 4 });
    await vi.waitFor(async () => expect(await list()).toEqual([]), PATIENT);
    expect(twice).toEqual([]);
    expect([...done].sort()).toEqual([...ids].sort());
  });

  test("a lease that runs out is taken by another, and whoever had it before can change nothing", async () => {
    await fresh(item("a"));
    const [zombie] = await take();
    expect(await renew(db, zombie!)).toBe(true);
    expect(await take()).toEqual([]);
    await passed("a");
    const [next] = await take();
    expect(next).toMatchObject({ id: "a", tries: 2 });
    expect([
      await renew(db, zombie!),
      await saveResult(db, zombie!, "late"),
      await release(db, zombie!),
      await retryLater(db, zombie!, { error: "late", pauseMs: 0 }),
      await giveUp(db, zombie!, "late"),
      await complete(db, zombie!),
      await complete(db, zombie!, { keep: true }),
    ]).toEqual(Array(7).fill(false));
    expect(await list()).toMatchObject([{ id: "a", status: "waiting", tries: 2, lastError: null }]);
    // Its time is over, and nobody has taken it: what it came to is kept, and it has time to publish that.
    await passed("a");
    expect(await saveResult(db, next!, { score: 1 })).toBe(true);
    expect(await take()).toEqual([]);
    await passed("a");
    const [last] = await take();
    expect(last).toMatchObject({ tries: 3, result: { score: 1 } });
    expect(await complete(db, last!)).toBe(true);
    expect(await list()).toEqual([]);
  });

  test("a worker that lost an item hears of it, and is not counted", async () => {
    await fresh(item("a"));
    const outcomes: Outcome[] = [];
    let heard: unknown;
    working(
      async (_, held) => {
        // As if another worker had taken it.
        await db.query("update atlas_log.queue set lease = gen_random_uuid() where queue = $1", [queue]);
        if (!held.aborted) await once(held, "abort");
        heard = held.reason;
        return { error: "given up" };
      },
      { leaseMs: 60, onTry: (_, outcome) => outcomes.push(outcome) },
    );
    await vi.waitFor(() => expect(heard).toMatchObject({ code: "ATLAS_CANCELLED" }), PATIENT);
    expect(outcomes).toEqual([]);
    expect(await list()).toMatchObject([{ lastError: null }]);
  });

  test("an item that fails comes again after a pause that grows, and no sooner than it asks for", async () => {
    await fresh(item("fails"), item("asks"), item("waits"));
    const outcomes: string[] = [];
    const worker = working(
      async ({ id }) => {
        if (id === "asks") return { error: "busy", afterMs: 2 * HOUR };
        if (id === "waits") return { error: "not yet", afterMs: HOUR, counts: false };
        throw new Error("no");
      },
      {
        backoff: { firstMs: HOUR, longestMs: HOUR },
        onTry: ({ id }, outcome, error) => outcomes.push(`${id} ${outcome} ${error}`),
      },
    );
    await vi.waitFor(async () => {
      const errors = (await list()).map(({ lastError }) => lastError);
      expect(errors).toEqual(["not yet", "busy", "no"]);
    }, PATIENT);
    expect((await list()).map(({ tries }) => tries)).toEqual([0, 1, 1]);
    expect(outcomes).toEqual(["fails retried no", "asks retried busy"]);
    expect(await dueIn("fails")).toBeLessThanOrEqual(HOUR);
    expect(await dueIn("asks")).toBeGreaterThan(HOUR);
    await worker.stop();
  });

  test("after its last try an item is failed and listed, and can be made due again", async () => {
    await fresh(item("a"), item("b", { lane: "other" }));
    const outcomes: Outcome[] = [];
    let well = false;
    working(
      async () => {
        if (!well) throw new Error("no");
        return undefined;
      },
      { maxTries: 3, keepDays: 30, onTry: (_, outcome) => outcomes.push(outcome) },
    );
    await vi.waitFor(
      async () => expect(await countOpen(db, queue)).toContainEqual({ lane: "", status: "failed", count: 1 }),
      PATIENT,
    );
    expect(outcomes).toEqual(["retried", "retried", "failed"]);
    expect(await list()).toMatchObject([
      { id: "b", status: "waiting", tries: 0 },
      { id: "a", status: "failed", tries: 3, lastError: "no" },
    ]);
    expect(await retryFailed(db, queue, "other")).toBe(0);
    well = true;
    expect(await retryFailed(db, queue)).toBe(1);
    await vi.waitFor(
      async () => expect((await list())[1]).toMatchObject({ status: "done", lastError: null }),
      PATIENT,
    );
    // It is known: nobody does it twice.
    await enqueue(db, queue, [item("a")]);
    expect((await list())[1]).toMatchObject({ id: "a", status: "done" });
    await forgetDone(db, queue, 0);
    expect((await list()).map(({ id }) => id)).toEqual(["b"]);
  });

  test("a worker that ends gives back what it holds, uncounted; with time it does what is due first", async () => {
    await fresh(item("a"));
    const stuck = working(
      (_, held) => new Promise((_resolve, reject) => held.addEventListener("abort", reject)),
    );
    await vi.waitFor(async () => expect((await list())[0]).toMatchObject({ tries: 1 }), PATIENT);
    await stuck.stop();
    expect(await list()).toMatchObject([{ tries: 0, lastError: null }]);
    expect(await dueIn("a")).toBeLessThanOrEqual(0);
    await enqueue(db, queue, [item("b"), item("c")]);
    const done: string[] = [];
    const worker = working(
      async ({ id }) => {
        done.push(id);
        return undefined;
      },
      { everyMs: HOUR },
    );
    await worker.stop(HOUR);
    expect(done).toEqual(["a", "b", "c"]);
  });

  test("what is kept of a session goes with it, unless it was due and only parked work should", async () => {
    const [one, two] = [newId(), newId()];
    await fresh(item("a", { sessionId: one }), item("b", { sessionId: two, parked: true }));
    expect(await sessionsIn(db, queue, [one, newId()])).toEqual(new Set([one]));
    const [held] = await take();
    await forgetSessions(db, queue, [one, two], { parked: true });
    expect((await list()).map(({ id }) => id)).toEqual(["a"]);
    await forgetSessions(db, queue, [one]);
    expect(await complete(db, held!)).toBe(false);
  });

  test("what a killed process of this host held is due at once, and its try counts", async () => {
    await fresh(item("a"));
    const script = join(import.meta.dirname, "queue-child.ts");
    const child = spawn(process.execPath, ["--no-warnings", script, at, queue], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    await releaseGone(db, queue);
    expect(await take()).toEqual([]);
    child.kill("SIGKILL");
    await once(child, "exit");
    await releaseGone(db, queue);
    expect(await take()).toMatchObject([{ id: "a", tries: 2 }]);
  });
});
