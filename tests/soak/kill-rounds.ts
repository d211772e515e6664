import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Anomaly, anomaliesOf } from "./compare.ts";
import { writeConversations } from "./conversations.ts";
import { type Role, TRY_AGAIN } from "./orders.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { openPlace, type Place } from "./place.ts";
import { endsWithin, kill, type Running, start, stop } from "./processes.ts";
import { type Random, seeded } from "./random.ts";

/** A place of its own for one round. */
export interface RoundPlace {
  place: Place;
  remove(): Promise<void>;
}

/** What to do to which log. */
export interface KillOptions {
  kills: number;
  seed: number;
  /** Which processes work on a place, in turns from round to round. */
  casts: readonly (readonly Role[])[];
  makePlace: () => Promise<RoundPlace>;
  /** Writes what is imported, the same for the same seed; conversations unless told. */
  writeRuns?: (file: string, seed: number) => void;
  onRound?: (round: Round) => void;
  /** What the undisturbed run of this seed came to, where it is known already. */
  expected?: Outcome | undefined;
}

/** One place on which processes were killed until the work was done, held against an undisturbed run. */
export interface Round {
  round: number;
  cast: readonly Role[];
  kills: number;
  /** When and what was killed, to see a failure again: roles with milliseconds since they had opened the log. */
  moments: string[];
  /** Records of the log that its readers drop as repetitions. */
  repeated: number;
  anomalies: Anomaly[];
}

/** What came of all rounds. */
export interface KillReport {
  seed: number;
  kills: number;
  rounds: Round[];
  /** What the undisturbed run came to. */
  expected: Outcome;
}

/** Most kills of one round; then the processes are left to finish. */
const KILLS_PER_ROUND = 12;
/** After so many rounds with anomalies there is nothing more to learn. */
const BAD_ROUNDS = 5;
/** How long processes that nobody kills may take to finish. */
const FINISH_MS = 120_000;
/** A starting process is killed within this time. */
const START_MS = 900;
/** One that has opened the log is, within this time. */
const WORK_MS = 1_200;

const isImporter = (role: Role): boolean => role !== "worker";

/** The processes of one round. */
class Cast {
  private running: Running[];
  readonly anomalies: Anomaly[] = [];
  private readonly begin: (role: Role) => Running;

  constructor(roles: readonly Role[], begin: (role: Role) => Running) {
    this.begin = begin;
    this.running = roles.map(begin);
  }

  get importer(): Running {
    return this.running.find(({ role }) => isImporter(role))!;
  }

  at(index: number): Running {
    return this.running[index]!;
  }

  /** Replaces a process that has ended. */
  replace(old: Running): void {
    this.running = this.running.map((running) => (running === old ? this.begin(old.role) : running));
  }

  /** Replaces what ended because another process was killed; says whether the import has finished. */
  async look(): Promise<boolean> {
    for (const running of this.running) {
      const ended = await endsWithin(running, 0);
      if (ended === undefined) continue;
      if (ended === 0 && isImporter(running.role)) return true;
      if (ended !== TRY_AGAIN)
        this.anomalies.push({
          kind: "stuck",
          what: `a ${running.role} ended with ${ended}: ${running.said()}`,
        });
      this.replace(running);
    }
    return false;
  }

  async finish(): Promise<void> {
    const until = Date.now() + FINISH_MS;
    while (!(await this.look()) && this.anomalies.length === 0) {
      if (Date.now() < until) await endsWithin(this.importer, 100);
      else this.anomalies.push({ kind: "stuck", what: `the import did not finish: ${this.importer.said()}` });
    }
    for (const running of this.running) {
      const ended = await stop(running);
      if (ended !== 0 && this.anomalies.length === 0)
        this.anomalies.push({
          kind: "stuck",
          what: `a ${running.role} ended with ${ended}: ${running.said()}`,
        });
    }
  }
}

/** Kills one process after the other at seeded moments, until the work is done or that was enough. */
async function disturb(cast: Cast, size: number, random: Random, most: number): Promise<string[]> {
  const moments: string[] = [];
  while (moments.length < most && cast.anomalies.length === 0) {
    const index = random.below(size);
    const early = random.next() < 0.25;
    const after = Math.floor(random.next() * (early ? START_MS : WORK_MS));
    const victim = cast.at(index);
    if (!early) await victim.opened;
    await Promise.race([sleep(after), cast.importer.ended]);
    if (await cast.look()) break;
    if (cast.at(index) !== victim) continue;
    await kill(victim);
    moments.push(`${victim.role} ${early ? "starting" : "open"} ${after} ms`);
    cast.replace(victim);
  }
  return moments;
}

async function lookAt(place: Place): Promise<Outcome> {
  const opened = await openPlace(place, true);
  try {
    await opened.settled();
    return await outcomeOf(opened);
  } finally {
    await opened.close();
  }
}

async function undisturbed(file: string): Promise<Outcome> {
  const path = mkdtempSync(join(tmpdir(), "atlas-soak-"));
  try {
    const opened = await openPlace({ kind: "embedded", path }, true);
    try {
      await opened.importFile(file);
      return await outcomeOf(opened);
    } finally {
      await opened.close();
    }
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Kills processes at seeded moments while they import and consume, over fresh places until there were enough kills,
 * and holds what each place has in the end against an undisturbed run on an embedded log.
 */
export async function killRounds(options: KillOptions): Promise<KillReport> {
  const { seed, casts, makePlace } = options;
  const folder = mkdtempSync(join(tmpdir(), "atlas-soak-"));
  const file = join(folder, "runs.jsonl");
  const { writeRuns = writeConversations } = options;
  try {
    writeRuns(file, seed);
    const expected = options.expected ?? (await undisturbed(file));
    const report: KillReport = { seed, kills: 0, rounds: [], expected };
    const isBad = ({ anomalies }: Round): boolean => anomalies.length > 0;
    while (report.kills < options.kills && report.rounds.filter(isBad).length < BAD_ROUNDS) {
      const round = report.rounds.length + 1;
      const roles = casts[(round - 1) % casts.length]!;
      const { place, remove } = await makePlace();
      const cast = new Cast(roles, (role) => start({ place, role, file }));
      const most = Math.min(KILLS_PER_ROUND, options.kills - report.kills);
      let moments: string[] = [];
      let repeated = 0;
      try {
        moments = await disturb(cast, roles.length, seeded(seed * 1000 + round), most);
        await cast.finish();
        if (cast.anomalies.length === 0) {
          const outcome = await lookAt(place);
          repeated = outcome.repeated;
          for (const one of anomaliesOf(outcome, expected)) cast.anomalies.push(one);
        }
      } finally {
        await remove();
      }
      const { anomalies } = cast;
      const done: Round = { round, cast: roles, kills: moments.length, moments, repeated, anomalies };
      report.kills += done.kills;
      report.rounds.push(done);
      options.onRound?.(done);
    }
    return report;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every anomaly in words, with what is needed to see it again. */
export const problemsIn = ({ seed, rounds }: KillReport): string[] =>
  rounds.flatMap(({ round, cast, moments, anomalies }) =>
    anomalies.map(
      ({ kind, what }) =>
        `seed ${seed}, round ${round} (${cast.join(", ")}; killed: ${moments.join(", ")}): ${kind}: ${what}`,
    ),
  );
