import { messageOf } from "../../errors/atlas-error.ts";
import { type SessionScope, unlessAborted } from "../../recording/session-scope.ts";
import { jsonText } from "../../schemas/json-text.ts";
import { defaultTriage } from "./default-triage.ts";
import { Dossier, type DossierInput } from "./dossier.ts";

/**
 * Describes a task before anybody works on it, from its text and from what the caller said of it.
 *
 * @example
 * const sre: TriageAdapter = (task, { service }) => ({ task, summary: `${service} is down`, tags: ["sre"] });
 */
export type TriageAdapter = (
  task: string,
  metadata: Readonly<Record<string, unknown>>,
) => DossierInput | Promise<DossierInput>;

function readDossier(given: unknown): Dossier {
  const read = Dossier.safeParse(given);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new TypeError(`it handed over no dossier: ${problems.join("; ")}`);
}

/**
 * Describes the task of a session, and records the dossier. Never throws: where the adapter fails, or hands over
 * something that is no dossier, the default one describes the task and says why it had to.
 */
export async function triageTask(
  scope: SessionScope,
  task: string,
  metadata: Readonly<Record<string, unknown>>,
  adapter: TriageAdapter,
): Promise<Dossier> {
  let name = adapter === defaultTriage ? "default" : adapter.name || "custom";
  let dossier: Dossier;
  try {
    dossier = readDossier(await unlessAborted(scope.signal, () => adapter(task, { ...metadata })));
  } catch (error) {
    const triage_failure = `${name}: ${messageOf(error)}`;
    name = "default";
    dossier = readDossier(defaultTriage(task, metadata));
    dossier.metadata = { ...dossier.metadata, triage_failure };
  }
  scope.recorder.emit("TaskTriaged", { adapter: name, dossier: jsonText(dossier) });
  return dossier;
}
