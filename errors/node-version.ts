import { AtlasError } from "./atlas-error.ts";

/** The oldest Node that this package runs on: `engines` of package.json says the same. */
const LEAST = [22, 13] as const;

/** Why this package cannot run on a version of Node; undefined where it can. */
export function unsupportedNode(version: string = process.versions.node): AtlasError | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return undefined;
  const message = `Atlas needs Node >= ${LEAST.join(".")}, and this is Node ${version}`;
  return new AtlasError("ATLAS_NODE_UNSUPPORTED", message, {
    where: process.execPath,
    hint: "Install a newer Node and run the same again.",
  });
}

/** @throws AtlasError ATLAS_NODE_UNSUPPORTED */
export function requireNode(): void {
  const refusal = unsupportedNode();
  if (refusal !== undefined) throw refusal;
}
