/** What `atlas doctor` looked at, and how it is. */
export interface Finding {
  name: string;
  /** `warning` is worth a look and stops nothing. */
  status: "ok" | "warning" | "broken";
  detail: string;
}
