import type { Place, QualityRecord } from "./record.ts";

/** A record that a check finds fault with. What it holds is never said. */
export interface Fault extends Place {
  why: string;
}

/** Takes a fault of a record, at most one of a check for each record. */
export type Report = (place: Place, why: string) => void;

/** What a check came to. */
export interface Measure {
  /** What is held against the limit; null where the dataset has nothing to measure. */
  value: number | null;
  /** What else there is to say. */
  note?: string | undefined;
}

/** A check that is shown every record once. */
export interface Check {
  read(record: QualityRecord, report: Report): void;
  end(report: Report): Measure | Promise<Measure>;
}

/**
 * A check of each record by itself, whose value is the share of those with a fault.
 *
 * @param why undefined for a record without fault
 */
export function eachRecord(why: (record: QualityRecord) => string | undefined): Check {
  let records = 0;
  let found = 0;
  return {
    read(record, report) {
      records += 1;
      const fault = why(record);
      if (fault === undefined) return;
      found += 1;
      report(record.place, fault);
    },
    end: () => ({ value: records === 0 ? null : found / records }),
  };
}
