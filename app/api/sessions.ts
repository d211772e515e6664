import { reviewer } from "../../configs/reviewer.ts";
import { AtlasError, isAtlasError } from "../../errors/atlas-error.ts";
import { importRecorded, type RecordedOptions } from "../../intake/import/import-recorded.ts";
import type { ImportSummary } from "../../intake/import/intake.ts";
import { findErasure } from "../../projections/erasures.ts";
import { resolveSessionId } from "../../projections/resolve-session-id.ts";
import { WHATEVER } from "../../projections/session-filters.ts";
import {
  countSessions,
  listSessions,
  type SessionSummary,
  type SummaryFilters,
} from "../../projections/session-summaries.ts";
import { streamTraces } from "../../projections/training-data.ts";
import { createEvent } from "../../schemas/codec.ts";
import type { SessionErased, Uuid } from "../../schemas/generated/events.ts";
import { newId, nowMicros } from "../../schemas/identity.ts";
import { withLogged } from "../../schemas/masked.ts";
import type { SessionTrace } from "../../traces/session-trace.ts";
import { intakeInto } from "../intake-into.ts";
import { type MigrateOptions, migrate } from "../migrate.ts";
import type { OpenParts } from "./open-parts.ts";

/** What to import. */
export interface ImportOptions extends RecordedOptions {
  files: readonly string[];
  /** Imports anew what an earlier translation of its format imported; the old sessions stay as they are. */
  again?: boolean | undefined;
  onProgress?: ((progress: Readonly<ImportSummary>) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A session that somebody wants gone: with what is there of it, or since when it is gone. */
export type Erasable =
  | { sessionId: Uuid; session: SessionSummary; erasedAt?: undefined }
  | { sessionId: Uuid; session?: undefined; erasedAt: Date };

/** Who erases, and why. */
export interface Erasure {
  reason: string;
  /** `ATLAS_REVIEWER`, else the user of the system, unless told. */
  author?: string | undefined;
}

/** The sessions of an open Atlas. An id is a UUID, an unambiguous prefix of it, or the integer. */
export interface Sessions {
  /**
   * Lists sessions without their contents, the newest first. Await `settled()` first to see what was just recorded.
   *
   * @example
   * const [latest] = await atlas.sessions.list({ limit: 1 });
   */
  list(filters?: SummaryFilters): Promise<SessionSummary[]>;
  /** How many sessions {@link Sessions.list} would list without a limit. */
  count(filters?: SummaryFilters): Promise<number>;
  /**
   * The whole trace of one session, whatever its review status.
   *
   * @throws AtlasError ATLAS_SESSION_NOT_FOUND, ATLAS_SESSION_AMBIGUOUS
   * @example
   * const { steps } = await atlas.sessions.get("0199a1b2");
   */
  get(id: string): Promise<SessionTrace>;
  /**
   * Imports recorded conversations as the sessions they were; importing them again adds nothing.
   *
   * @throws AtlasError ATLAS_FILE_UNREADABLE; ATLAS_USAGE for an option that is none
   * @example
   * await atlas.sessions.import({ files: ["runs.jsonl"], learningKey: "support" });
   */
  import(options: ImportOptions): Promise<ImportSummary>;
  /**
   * Takes over the sessions of a Python SDK, from its database or a file that it exported; taking them over again
   * adds nothing.
   *
   * @throws AtlasError ATLAS_DATABASE_UNREACHABLE, ATLAS_FILE_UNREADABLE
   * @example
   * await atlas.sessions.migrate({ from: { file: "traces.jsonl" } });
   */
  migrate(options: MigrateOptions): Promise<ImportSummary>;
  /**
   * Finds the session that a person named, also one that is erased already.
   *
   * @throws AtlasError ATLAS_SESSION_NOT_FOUND, ATLAS_SESSION_AMBIGUOUS
   */
  findErasable(id: string): Promise<Erasable>;
  /**
   * Takes a session out of the read models and all later datasets. Its events stay in the log, which only grows.
   * Erasing a session that is gone already appends nothing.
   *
   * @returns what was erased; await `settled()` to see it gone
   * @throws AtlasError ATLAS_SESSION_NOT_FOUND, ATLAS_SESSION_AMBIGUOUS, and what keeps the log from taking the event
   * @example
   * await atlas.sessions.erase("0199a1b2", { reason: "the customer asked for it" });
   */
  erase(id: string, erasure: Erasure): Promise<Erasable>;
}

function erasureOf(session: SessionSummary, { reason, author = reviewer() }: Erasure): SessionErased {
  return createEvent(
    "SessionErased",
    {
      event_id: newId(),
      session_id: session.sessionId,
      source: `erase/${newId()}`,
      sequence: 1,
      occurred_at: nowMicros(),
      time_assumed: false,
    },
    { learning_key: session.learningKey, author, reason },
  );
}

const missing = (id: string): AtlasError =>
  new AtlasError("ATLAS_SESSION_NOT_FOUND", `no session ${JSON.stringify(id)}`);

/** {@link Sessions} of these parts. */
export function sessionsOf({ config, log, db, rules }: OpenParts): Sessions {
  const findErasable = async (id: string): Promise<Erasable> => {
    try {
      const sessionId = await resolveSessionId(db, id);
      const [session] = await listSessions(db, { sessionIds: [sessionId] });
      if (session !== undefined) return { sessionId, session };
      throw missing(id);
    } catch (error) {
      if (!isAtlasError(error, "ATLAS_SESSION_NOT_FOUND")) throw error;
      const erasure = await findErasure(db, id);
      if (erasure === undefined) throw error;
      return erasure;
    }
  };
  return {
    list: (filters) => listSessions(db, filters),
    count: (filters) => countSessions(db, filters),
    async get(id) {
      const sessionId = await resolveSessionId(db, id);
      for await (const found of streamTraces(db, { sessionIds: [sessionId], ...WHATEVER })) return found;
      throw missing(id);
    },
    async import(options) {
      return importRecorded({ ...options, ...(await intakeInto(log, rules, config.rules)) });
    },
    async migrate(options) {
      return migrate(options, await intakeInto(log, rules, config.rules));
    },
    findErasable,
    async erase(id, erasure) {
      const found = await findErasable(id);
      if (found.session !== undefined) {
        const { learningKey: learning_key } = found.session;
        await log.append([withLogged(log.mask(erasureOf(found.session, erasure)), { learning_key })]);
      }
      return found;
    },
  };
}
