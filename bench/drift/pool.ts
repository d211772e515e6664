import { once } from "node:events";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { LISTS, type ListName } from "./lists.ts";
import { measure, type Result } from "./measure.ts";

/** Which stream is measured, and on how many sessions. */
interface Job {
  list: ListName;
  index: number;
  runs: number;
  length: number;
}

/** Measures all streams of these lists, several at a time. What comes out does not depend on how many. */
export async function measureAll(
  sizes: Record<ListName, { runs: number; length: number }>,
  threads: number,
): Promise<Record<ListName, Result[]>> {
  const names = Object.keys(LISTS) as ListName[];
  const jobs = names.flatMap((list) => LISTS[list].map((_, index): Job => ({ list, index, ...sizes[list] })));
  const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<
    ListName,
    Result[]
  >;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url));
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      worker.postMessage(job);
      const [outcomes] = (await once(worker, "message")) as [Result["outcomes"]];
      results[job.list][job.index] = { stream: LISTS[job.list][job.index]!, outcomes };
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: threads }, work));
  return results;
}

if (!isMainThread)
  parentPort?.on("message", ({ list, index, ...size }: Job) => {
    parentPort?.postMessage(measure(LISTS[list][index]!, size).outcomes);
  });
