import type { DriftMetricName } from "../../schemas/rules.ts";
import type { BenchSession } from "./atlas-rule.ts";

/** An alert of a rule: which metric, and which way it goes. */
export interface Found {
  metric: DriftMetricName;
  direction: "improvement" | "decline";
}

/** What a rule says about each session: its alerts. */
export type Rule = (sessions: readonly BenchSession[]) => (readonly Found[])[];

const METRICS: readonly { name: DriftMetricName; upIsBetter: boolean; floor: number }[] = [
  { name: "score", upIsBetter: true, floor: 0.02 },
  { name: "uncertainty", upIsBetter: false, floor: 0.02 },
  { name: "tokens", upIsBetter: false, floor: 0.1 },
  { name: "duration", upIsBetter: false, floor: 0.2 },
];

const read = ({ score, uncertainty, tokens, seconds }: BenchSession, name: DriftMetricName): number =>
  ({ score, uncertainty, tokens: Math.log(tokens), duration: Math.log(seconds) })[name];

/** Mean and spread of values as they come. */
class Running {
  count = 0;
  mean = 0;
  private squares = 0;

  add(value: number): void {
    this.count += 1;
    const step = value - this.mean;
    this.mean += step / this.count;
    this.squares += step * (value - this.mean);
  }

  deviation(floor: number): number {
    return Math.max(Math.sqrt(this.squares / Math.max(this.count - 1, 1)), floor);
  }
}

/** A chart of one metric: below 0 where it alerts on a fall, above 0 on a rise, else 0. It starts again after an alert. */
type Chart = (z: number, count: number) => number;

function charted(makeChart: () => Chart): Rule {
  return (sessions) => {
    const alerts: Found[][] = sessions.map(() => []);
    for (const { name, upIsBetter, floor } of METRICS) {
      let [before, chart] = [new Running(), makeChart()];
      for (const [index, session] of sessions.entries()) {
        const value = read(session, name);
        if (before.count >= 10) {
          const change = chart((value - before.mean) / before.deviation(floor), before.count);
          if (change !== 0) {
            alerts[index]!.push({
              metric: name,
              direction: change > 0 === upIsBetter ? "improvement" : "decline",
            });
            [before, chart] = [new Running(), makeChart()];
          }
        }
        before.add(value);
      }
    }
    return alerts;
  };
}

/** An exponentially weighted moving average (weight .1) of z-scores against all values since the last alert. */
export const ewma = (threshold: number): Rule =>
  charted(() => {
    let average = 0;
    let steps = 0;
    return (z) => {
      average = 0.9 * average + 0.1 * z;
      steps += 1;
      const spread = Math.sqrt((0.1 / 1.9) * (1 - 0.81 ** steps));
      return Math.abs(average) > threshold * spread ? Math.sign(average) : 0;
    };
  });

/** Page and Hinkley's test: sums of z-scores beyond a quarter of a standard deviation, to either side. */
export const pageHinkley = (threshold: number): Rule =>
  charted(() => {
    let [up, down] = [0, 0];
    return (z) => {
      up = Math.max(0, up + z - 0.25);
      down = Math.max(0, down - z - 0.25);
      if (Math.max(up, down) <= threshold) return 0;
      return up > down ? 1 : -1;
    };
  });
