import { AtlasError, isAtlasError, messageOf } from "../../errors/atlas-error.ts";
import { limitedText } from "../../guards/limited-body.ts";
import { releasedSchema } from "../../schemas/codec.ts";
import { definedFingerprint } from "../../schemas/defined-fingerprint.ts";
import { descriptionOf } from "../../schemas/event-definitions.ts";
import { fingerprint } from "../../schemas/fingerprint.ts";
import { EVENTS_NAMESPACE, fullNameOf } from "../../schemas/full-name.ts";

const COMPATIBILITY = "FULL_TRANSITIVE";
const TIMEOUT_MS = 5000;
/** No schema is as large. */
const MOST_BYTES = 8 * 1024 * 1024;
const CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
/** How long an id that the registry does not have is believed to be foreign. */
const FOREIGN_MS = 30_000;

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/**
 * Translates between fingerprints and the ids of a Confluent-compatible schema registry. Schemas are registered when
 * the first record of theirs is written, each under its full name (RecordNameStrategy) as FULL_TRANSITIVE.
 *
 * It speaks HTTP itself, because the usual client compiles whatever schema it is given, and sets a subject's
 * compatibility only after the first schema is in.
 */
export class Registry {
  private readonly url: string;
  private readonly headers: Record<string, string>;
  private readonly ids = new Map<string, Promise<number>>();
  private readonly fingerprints = new Map<number, string>();
  private readonly foreignUntil = new Map<number, number>();

  /** @param url its address with its path; credentials in it are sent as a header */
  constructor(url: string) {
    const parsed = new URL(url);
    const { username, password } = parsed;
    parsed.username = "";
    parsed.password = "";
    this.url = parsed.href.replace(/\/+$/, "");
    this.headers = { "content-type": CONTENT_TYPE, accept: `${CONTENT_TYPE}, application/json` };
    if (username !== "") {
      const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.headers.authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
    }
  }

  /**
   * The ids of released schemas, registering those that are new to the registry.
   *
   * @throws AtlasError ATLAS_REGISTRY_UNREACHABLE, ATLAS_SCHEMA_INCOMPATIBLE, ATLAS_SCHEMA_NEWER
   */
  async idsOf(fingerprints: Iterable<string>): Promise<ReadonlyMap<string, number>> {
    const distinct = [...new Set(fingerprints)];
    const ids = await Promise.all(distinct.map((name) => this.idOf(name)));
    return new Map(distinct.map((name, index) => [name, ids[index]!]));
  }

  /**
   * The fingerprint of the schema with this id; undefined when it is not one of ours.
   *
   * @throws AtlasError ATLAS_REGISTRY_UNREACHABLE
   */
  async fingerprintOf(id: number): Promise<string | undefined> {
    const known = this.fingerprints.get(id);
    if (known !== undefined) return known;
    if ((this.foreignUntil.get(id) ?? 0) > performance.now()) return undefined;
    const { status, body } = await this.ask("GET", `/schemas/ids/${id}`);
    const found = status === 200 ? ourFingerprint(body) : undefined;
    if (found === undefined) this.foreignUntil.set(id, performance.now() + FOREIGN_MS);
    else this.fingerprints.set(id, found);
    return found;
  }

  /**
   * Every version that the registry has of an event which a user defined, oldest first.
   *
   * @throws AtlasError ATLAS_REGISTRY_UNREACHABLE
   */
  async versionsOf(type: string): Promise<string[]> {
    const { status, body } = await this.ask("GET", `/subjects/${fullNameOf(type)}/versions`);
    if (status !== 200 || !Array.isArray(body)) return [];
    const texts: string[] = [];
    for (const version of body as number[]) {
      const found = await this.ask("GET", `/subjects/${fullNameOf(type)}/versions/${version}`);
      if (typeof found.body.schema === "string") texts.push(found.body.schema);
    }
    return texts;
  }

  private idOf(name: string): Promise<number> {
    const known = this.ids.get(name);
    if (known !== undefined) return known;
    const asked = this.register(name);
    this.ids.set(name, asked);
    asked.catch(() => this.ids.delete(name));
    return asked;
  }

  private async register(name: string): Promise<number> {
    const released = releasedSchema(name);
    if (released === undefined) {
      throw new AtlasError("ATLAS_SCHEMA_NEWER", `no released schema has the fingerprint ${name}`, {
        hint: "Upgrade atlas-sdk here before the programs that write to the log.",
      });
    }
    const subject = fullNameOf(released.name);
    const config = await this.ask("GET", `/config/${subject}`);
    if (config.body.compatibilityLevel !== COMPATIBILITY) {
      await this.ask("PUT", `/config/${subject}`, { compatibility: COMPATIBILITY });
    }
    const { status, body } = await this.ask("POST", `/subjects/${subject}/versions`, {
      schema: released.schema,
    });
    if (typeof body.id === "number") return body.id;
    throw new AtlasError(
      status === 409 ? "ATLAS_SCHEMA_INCOMPATIBLE" : "ATLAS_REGISTRY_UNREACHABLE",
      `the registry refused the schema of ${released.name} (HTTP ${status}): ${String(body.message ?? "")}`,
      {
        where: `${this.url}, subject ${subject}`,
        hint: "See what is registered under that subject, and by whom.",
      },
    );
  }

  private async ask(method: string, path: string, body?: unknown): Promise<Answer> {
    let answer: Answer;
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: this.headers,
        redirect: "error",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      answer = { status: response.status, body: parsed(await limitedText(response, MOST_BYTES)) };
    } catch (error) {
      const isLarge = isAtlasError(error, "ATLAS_ANSWER_TOO_LARGE");
      throw this.unreachable(messageOf((error as Error).cause ?? error), !isLarge, error);
    }
    const { status } = answer;
    if (status >= 500 || status === 429 || status === 408) throw this.unreachable(`HTTP ${status}`, true);
    if (status === 401 || status === 403) throw this.unreachable(`HTTP ${status}`, false);
    return answer;
  }

  private unreachable(reason: string, retryable: boolean, cause?: unknown): AtlasError {
    return new AtlasError("ATLAS_REGISTRY_UNREACHABLE", `the schema registry failed: ${reason}`, {
      where: this.url,
      hint: retryable
        ? "See that it runs and can be reached from here."
        : "Check the credentials in its address.",
      retryable,
      cause,
    });
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function ourFingerprint(answer: Record<string, unknown>): string | undefined {
  const { schema, schemaType = "AVRO" } = answer;
  if (schemaType !== "AVRO" || typeof schema !== "string") return undefined;
  const { name, namespace } = parsed(schema);
  const fullName = typeof namespace === "string" ? `${namespace}.${String(name)}` : String(name);
  if (descriptionOf(fullName) !== undefined) return definedFingerprint(fullName, parsed(schema));
  return fullName.startsWith(`${EVENTS_NAMESPACE}.`) ? fingerprint(parsed(schema)) : undefined;
}
