interface Delivered {
  offset: number;
  acknowledged: boolean;
}

/** Finds how far a partition is acknowledged without a gap, in whatever order acknowledgements come. */
export class Acks {
  private readonly delivered: Delivered[] = [];

  /** Notes a delivery. What it returns acknowledges it, and gives the offset to go on at if that has moved. */
  deliver(offset: number): () => number | undefined {
    const entry: Delivered = { offset, acknowledged: false };
    this.delivered.push(entry);
    return () => {
      entry.acknowledged = true;
      let next: number | undefined;
      while (this.delivered[0]?.acknowledged === true) next = this.delivered.shift()!.offset + 1;
      return next;
    };
  }
}
