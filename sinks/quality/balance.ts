import type { Check } from "./check.ts";

/** Labels, or where there are none rewards, are not all the same: nothing would be told apart. */
export function balance(): Check {
  let records = 0;
  let labelled = 0;
  let wanted = 0;
  let zero = 0;
  let absent = 0;
  let known = 0;
  return {
    read({ label, reward }) {
      records += 1;
      if (label !== null) {
        labelled += 1;
        if (label) wanted += 1;
      }
      if (reward !== undefined) known += 1;
      if (reward === null) absent += 1;
      else if (reward === 0) zero += 1;
    },
    end() {
      if (records === 0) return { value: null };
      if (labelled > 0) {
        const majority = Math.max(wanted, labelled - wanted);
        const note = `${wanted} are wanted, ${labelled - wanted} are not`;
        return { value: majority / labelled, note };
      }
      if (known === 0) return { value: null, note: "the records do not say their rewards" };
      const note = `${absent} without a reward, ${zero} with a reward of 0`;
      return { value: (absent + zero) / known, note };
    },
  };
}
