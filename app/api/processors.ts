import {
  listVersions,
  type ProcessorVersion,
  retireVersion,
} from "../../derivation/versions/list-versions.ts";
import {
  type PromotedVersion,
  type PromoteVersionOptions,
  promoteVersion,
} from "../../derivation/versions/promote-version.ts";
import type { OpenParts } from "./open-parts.ts";

/** The versions of the processors of an open Atlas. */
export interface Processors {
  /** Every version of every processor that the database has: which answer, and how far the others are. */
  list(): Promise<ProcessorVersion[]>;
  /**
   * Lets a version answer in the place of the one that does, exactly at a position; what it says otherwise about what came
   * before is published as revisions.
   *
   * @throws AtlasError ATLAS_VERSION_NOT_FOUND; ATLAS_CONSUMER_BEHIND when it does not catch up with the other one
   * @example
   * const { revised } = await atlas.processors.promote({ processor: "drift" });
   */
  promote(options: PromoteVersionOptions): Promise<PromotedVersion>;
  /**
   * Forgets all that the database has of a version that does not answer.
   *
   * @throws AtlasError ATLAS_VERSION_NOT_FOUND, ATLAS_VERSION_ANSWERS
   * @example
   * await atlas.processors.retire({ processor: "drift", version: 3 });
   */
  retire(version: { processor: string; version: number }): Promise<void>;
}

/** {@link Processors} of these parts. */
export const processorsOf = ({ log }: OpenParts): Processors => ({
  list: () => listVersions(log),
  promote: (options) => promoteVersion(log, options),
  retire: (version) => retireVersion(log, version),
});
