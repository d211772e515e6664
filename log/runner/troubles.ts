type Tell = ((error: unknown | undefined) => void) | undefined;

/** Tells a consumer's troubles as one: there is one for as long as any of its parts has one. */
export class Troubles {
  private readonly tell: Tell;
  private readonly inTrouble = new Set<unknown>();

  constructor(tell: Tell) {
    this.tell = tell;
  }

  /** What a part tells: an error that it waits out, or undefined when it goes on. */
  of(part: unknown): (error: unknown | undefined) => void {
    return (error) => {
      if (error === undefined) {
        if (this.inTrouble.delete(part) && this.inTrouble.size === 0) this.tell?.(undefined);
      } else {
        this.inTrouble.add(part);
        this.tell?.(error);
      }
    };
  }
}
