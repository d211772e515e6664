import { AssignerProtocol, type GroupMember, type PartitionAssigner } from "kafkajs";

const NAME = "AtlasCoPartitioned";
const VERSION = 0;
const { MemberAssignment, MemberMetadata } = AssignerProtocol;

interface Claimant {
  memberId: string;
  topics: readonly string[];
  owned: readonly number[];
}

/**
 * Shares partitions out evenly: partition p of every topic goes to the same member, and stays where it was as long as
 * that is fair.
 *
 * @param partitions partitions of every topic
 * @param owned the partitions that this member has now
 */
export const coPartitioned =
  (partitions: number, owned: () => readonly number[]): PartitionAssigner =>
  () => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.from(owned().join(",")) }),
    }),
    assign: async ({ members }) => {
      const claimants = members.map(claimantOf);
      const shares = shareOut(partitions, claimants);
      return claimants.map(({ memberId, topics }) => {
        const share = shares.get(memberId) ?? [];
        const assignment = Object.fromEntries(topics.map((topic) => [topic, share]));
        return {
          memberId,
          memberAssignment: MemberAssignment.encode({
            version: VERSION,
            assignment,
            userData: Buffer.alloc(0),
          }),
        };
      });
    },
  });

function claimantOf({ memberId, memberMetadata }: GroupMember): Claimant {
  const metadata = MemberMetadata.decode(memberMetadata);
  const owned = metadata?.userData?.toString() ?? "";
  return {
    memberId,
    topics: metadata?.topics ?? [],
    owned: owned === "" ? [] : owned.split(",").map(Number),
  };
}

/** Which partitions each member gets. */
export function shareOut(
  partitions: number,
  claimants: readonly { memberId: string; owned: readonly number[] }[],
): Map<string, number[]> {
  const sorted = claimants.toSorted(
    (a, b) => b.owned.length - a.owned.length || (a.memberId < b.memberId ? -1 : 1),
  );
  const least = Math.floor(partitions / sorted.length);
  let larger = partitions % sorted.length;
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  const shares = new Map<string, number[]>();
  const quotas = new Map<string, number>();
  for (const { memberId, owned } of sorted) {
    const quota = larger > 0 ? least + 1 : least;
    larger -= 1;
    const kept = owned.filter((partition) => free.has(partition)).slice(0, quota);
    for (const partition of kept) free.delete(partition);
    shares.set(memberId, kept);
    quotas.set(memberId, quota);
  }
  const rest = [...free];
  for (const [memberId, share] of shares)
    for (const one of rest.splice(0, quotas.get(memberId)! - share.length)) share.push(one);
  return shares;
}
