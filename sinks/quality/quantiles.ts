/** The spread of some numbers. */
export interface Quantiles {
  least: number;
  p25: number;
  median: number;
  p75: number;
  p95: number;
  p99: number;
  most: number;
  mean: number;
}

/** Each quantile is one of the numbers, the nearest; null for none. */
export function quantilesOf(numbers: readonly number[]): Quantiles | null {
  if (numbers.length === 0) return null;
  const sorted = Float64Array.from(numbers).sort();
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return {
    least: at(0),
    p25: at(0.25),
    median: at(0.5),
    p75: at(0.75),
    p95: at(0.95),
    p99: at(0.99),
    most: at(1),
    mean: sorted.reduce((sum, each) => sum + each, 0) / sorted.length,
  };
}
