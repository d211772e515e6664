/** The tables of the read models, parents before children. */
export const READ_MODEL_TABLES = [
  "sessions",
  "plans",
  "step_results",
  "step_attempts",
  "guidance_notes",
  "trajectory_events",
  "discovery_runs",
  "learning_registry",
  "session_facts",
] as const;

/** One of the tables of the read models. */
export type ReadModelTable = (typeof READ_MODEL_TABLES)[number];

/** The tables that a rebuild replaces; discovery runs are no events. */
export const REBUILT_TABLES = READ_MODEL_TABLES.filter((table) => table !== "discovery_runs");

/** Gives a table the name by which SQL finds it. */
export type TableNames = (table: ReadModelTable) => string;

/** A name as an SQL identifier. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Names of the tables in a schema; in the first one of the search path unless told.
 *
 * @example
 * tablesIn("atlas_rebuild_1")("sessions"); // '"atlas_rebuild_1".sessions'
 */
export const tablesIn =
  (schema?: string): TableNames =>
  (table) =>
    schema === undefined ? table : `${quoteIdentifier(schema)}.${table}`;
