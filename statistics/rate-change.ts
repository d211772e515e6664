/** Sums of ln(i + shift) below each count: ln of a rising factorial. */
function logRising(shift: number, counts: number): number[] {
  const sums = [0];
  for (let i = 0; i < counts; i += 1) sums.push(sums[i]! + Math.log(i + shift));
  return sums;
}

/** Whether shares of a few kinds have changed, and where. */
export interface RateChange {
  /** ln of the summed Bayes factors of all places at which they may have changed; below 0 where nothing speaks for it. */
  evidence: number;
  /** The place that most speaks for: the first one after the change. */
  onset: number;
}

/**
 * Weighs that the shares of kinds changed at some place against that they never did, for every place from `from` on,
 * and adds up the Bayes factors (Shiryaev and Roberts). Shares are unknown before and after a change: each stretch
 * has its Dirichlet-multinomial probability under Jeffreys' prior, which for two kinds is the beta-binomial one. So
 * neither a short history nor a rate near 0 or 1 is an exception. While nothing changes the sum is 1 a place on
 * average, and passes 1 / p in a share p of the places at most.
 *
 * @param kinds the kind of each value, numbered from 0
 * @param options.from the first place after which shares may differ, at least 1
 * @param options.weight divides what each value says, at least 1: how many values of a series say what one
 *   independent value would
 * @example
 * rateChange([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1], { from: 5, weight: 1 }); // { evidence: 6.4, onset: 8 }
 */
export function rateChange(
  kinds: readonly number[],
  { from, weight }: { from: number; weight: number },
): RateChange {
  const count = kinds.length;
  const different = Math.max(kinds.reduce((most, kind) => Math.max(most, kind), 0) + 1, 2);
  const own = logRising(0.5, count);
  const all = logRising(different / 2, count);
  const probability = (of: readonly number[], total: number): number =>
    of.reduce((sum, each) => sum + own[each]!, -all[total]!);
  const before = Array.from({ length: different }, () => 0);
  const after = [...before];
  for (const kind of kinds) after[kind]! += 1;
  const unchanged = probability(after, count);
  const factors: number[] = [];
  let best = { factor: Number.NEGATIVE_INFINITY, onset: count };
  for (const [place, kind] of kinds.entries()) {
    if (place >= from) {
      const factor = (probability(before, place) + probability(after, count - place) - unchanged) / weight;
      factors.push(factor);
      if (factor > best.factor) best = { factor, onset: place };
    }
    before[kind]! += 1;
    after[kind]! -= 1;
  }
  if (factors.length === 0) return { evidence: Number.NEGATIVE_INFINITY, onset: count };
  const sum = factors.reduce((total, factor) => total + Math.exp(factor - best.factor), 0);
  return { evidence: best.factor + Math.log(sum), onset: best.onset };
}
