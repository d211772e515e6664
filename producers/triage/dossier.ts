import { z } from "zod";

const SEVERITIES: Record<string, "low" | "moderate" | "high" | "critical"> = {
  low: "low",
  p3: "low",
  sev3: "low",
  minor: "low",
  high: "high",
  p1: "high",
  sev1: "high",
  major: "high",
  critical: "critical",
  p0: "critical",
  sev0: "critical",
};

/** The severity that somebody's word for it means; unknown words count as moderate. */
const severity = z.unknown().transform(
  (word) =>
    SEVERITIES[
      String(word ?? "")
        .trim()
        .toLowerCase()
    ] ?? ("moderate" as const),
);

/** The parts of a dossier, each of which can be missing. */
export const DossierParts = {
  risks: z.array(
    z.object({ category: z.string().default("general"), description: z.string(), severity: severity }),
  ),
  signals: z.array(
    z.object({
      name: z.string(),
      value: z.json(),
      confidence: z.number().optional(),
      annotation: z.string().optional(),
    }),
  ),
  persona_references: z.array(
    z.object({
      persona_id: z.string(),
      rationale: z.string().optional(),
      weight: z.number().min(0).max(5).default(1),
      tags: z.array(z.string()).default([]),
    }),
  ),
  embeddings: z.record(
    z.string(),
    z.object({ vector: z.array(z.number()), model: z.string().optional(), note: z.string().optional() }),
  ),
  tags: z.array(z.string()),
  fingerprint_hint: z.string(),
};

/** What is known of a task before anybody works on it; recorded as it is, so its names are those of events. */
export const Dossier = z.object({
  task: z.string(),
  summary: z.string(),
  risks: DossierParts.risks.default([]),
  signals: DossierParts.signals.default([]),
  persona_references: DossierParts.persona_references.default([]),
  embeddings: DossierParts.embeddings.default({}),
  tags: DossierParts.tags.default([]),
  metadata: z.record(z.string(), z.unknown()).default({}),
  fingerprint_hint: DossierParts.fingerprint_hint.optional(),
});

/** What an adapter hands over; all but task and summary can be missing. */
export type DossierInput = z.input<typeof Dossier>;
export type Dossier = z.output<typeof Dossier>;
