/** What a triage adapter looks at, by the kind of work. */
const BODIES = {
  generic: `  // metadata is what runs are given: atlas run --metadata '{"area": "billing", "urgent": true}'
  const { area = "general", urgent } = metadata;
  return {
    task,
    summary: task.split("\\n", 1)[0] ?? task,
    risks: urgent === true ? [{ category: "time", description: "it is urgent", severity: "high" }] : [],
    tags: [String(area)],
    fingerprint_hint: \`generic::\${area}\`,
    metadata: { ...metadata },
  };`,
  sre: `  // atlas run --metadata '{"incident": "INC-7", "service": "billing", "impact": "p1", "alerts": ["cpu"]}'
  const { incident = "unknown", service = "a service", impact, alerts, recent_changes } = metadata;
  const firing = Array.isArray(alerts) ? alerts.map(String) : [];
  const changes = Array.isArray(recent_changes) ? recent_changes.map(String).slice(-3) : [];
  return {
    task,
    summary: \`\${service} has an incident (\${incident})\${firing.length > 0 ? \`: \${firing.join(", ")}\` : ""}\`,
    risks: [
      // p0 to p3, sev0 to sev3 and words such as minor are understood.
      { category: "availability", description: \`\${service} may not serve its users\`, severity: String(impact ?? "") },
      ...changes.map((change) => ({ category: "change", description: \`changed lately: \${change}\`, severity: "low" })),
    ],
    signals: [{ name: "alerts", value: firing.length, annotation: firing.join(", ") }],
    tags: ["sre", String(service)],
    fingerprint_hint: \`sre::\${service}\`,
    metadata: { incident },
  };`,
  support: `  // atlas run --metadata '{"customer": {"name": "Acme", "tier": "enterprise"}, "sentiment": -0.6, "product_area": "login"}'
  const { customer, sentiment, product_area = "unknown" } = metadata;
  const { name = "a customer", tier = "standard" } = Object(customer);
  const precious = ["enterprise", "premium"].includes(String(tier).toLowerCase());
  const mood = typeof sentiment === "number" ? sentiment : 0;
  return {
    task,
    summary: \`\${name} (\${tier}) asks about \${product_area}\`,
    risks:
      mood < 0
        ? [{ category: "churn", description: \`\${name} is unhappy\`, severity: precious ? "high" : "moderate" }]
        : [],
    signals: [{ name: "sentiment", value: mood }],
    tags: ["support", String(product_area)],
    fingerprint_hint: \`support::\${product_area}\`,
    metadata: { tier: String(tier) },
  };`,
  code: `  // atlas run --metadata '{"repo": "web", "modules": ["auth"], "failing_tests": ["login"], "owner": "identity"}'
  const { repo = "a repository", modules, failing_tests, owner } = metadata;
  const touched = Array.isArray(modules) ? modules.map(String) : [];
  const failing = Array.isArray(failing_tests) ? failing_tests.map(String) : [];
  return {
    task,
    summary: \`Work on \${repo}\${touched.length > 0 ? \`, in \${touched.join(", ")}\` : ""}\`,
    risks:
      failing.length > 0
        ? [{ category: "regression", description: \`\${failing.length} tests fail already\`, severity: "high" }]
        : [],
    signals: [{ name: "failing_tests", value: failing.length, annotation: failing.join(", ") }],
    tags: ["code", ...touched],
    fingerprint_hint: \`code::\${repo}\`,
    metadata: { owner: String(owner ?? "") },
  };`,
} as const;

/** A kind of work that there is a first triage adapter for. */
export type TriageTemplate = keyof typeof BODIES;

/** Their names. */
export const TRIAGE_TEMPLATES = Object.keys(BODIES) as readonly TriageTemplate[];

const ABOUT = `// Describes a task before anybody works on it. The dossier is recorded with the session, and shown to the probe
// that chooses its lane. Whatever goes wrong in here, the session goes on with a dossier made of its metadata.`;

/**
 * A first triage adapter to go on from, as the text of a module.
 *
 * @param typescript whether it is written in TypeScript
 * @example
 * writeFileSync("triage.mjs", triageStarter("sre", false));
 */
export function triageStarter(template: TriageTemplate, typescript: boolean): string {
  const head = typescript
    ? `import type { TriageAdapter } from "atlas-sdk";\n\n${ABOUT}\nconst ${template}Triage: TriageAdapter = `
    : `${ABOUT}\n/** @type {import("atlas-sdk").TriageAdapter} */\nconst ${template}Triage = `;
  return `${head}(task, metadata) => {\n${BODIES[template]}\n};\n\nexport default ${template}Triage;\n`;
}
