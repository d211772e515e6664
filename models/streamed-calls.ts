type Fields = Record<string, unknown>;

/** Follows JSON text as it comes, so that its end is known without reading it again with each piece. */
class ObjectEnd {
  #depth = 0;
  #inText = false;
  #escaped = false;
  #begun = false;

  add(text: string): void {
    for (const char of text) {
      if (this.#escaped) this.#escaped = false;
      else if (this.#inText) {
        if (char === "\\") this.#escaped = true;
        else if (char === '"') this.#inText = false;
      } else if (char === '"') this.#inText = true;
      else if (char === "{") {
        this.#depth += 1;
        this.#begun = true;
      } else if (char === "}") this.#depth -= 1;
    }
  }

  /** Whether an object came, and all of it. */
  get reached(): boolean {
    return this.#begun && this.#depth === 0;
  }
}

/** A call in the making. */
interface Growing {
  call: Fields;
  end: ObjectEnd;
  /** Its arguments came as an object: all at once. */
  whole: boolean;
  /** A piece after the end of its arguments said the name again, and nothing else. */
  named: boolean;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The part of a call that has its name and its arguments. */
const bodyOf = (call: Fields): Fields => {
  const body = call["function"] ?? call["custom"];
  return typeof body === "object" && body !== null ? (body as Fields) : {};
};

const nameOf = (call: Fields): string => textOf(bodyOf(call)["name"]);
const inputOf = (call: Fields): unknown => bodyOf(call)["arguments"];
const idOf = (call: Fields): string => textOf(call["id"]);

/**
 * Says which call a piece of a streamed answer belongs to. OpenAI gives each call an index of its own, and its id in
 * the first piece alone; other servers share an index, repeat ids and names, tell the id late, or give no index.
 */
export class StreamedCalls {
  readonly #growing: Growing[] = [];
  readonly #byCall = new Map<Fields, Growing>();
  /** The last one of each id and of each index. */
  readonly #byId = new Map<string, Growing>();
  readonly #byIndex = new Map<unknown, Growing>();

  /**
   * The call that this piece goes on with; where it begins one and a piece before it said the name, that name.
   *
   * @param place where the piece is among those of its chunk, and how many these are
   */
  callOf(piece: Fields, place: { at: number; of: number }): { call?: Fields; name?: string } {
    const before = this.#before(piece, place);
    if (before === undefined) return {};
    if (!this.#isAnother(piece, before)) return { call: before.call };
    return nameOf(piece) === "" && before.named ? { name: nameOf(before.call) } : {};
  }

  /** Takes note of what came of a piece. */
  joined(piece: Fields, call: Fields): void {
    const growing = this.#byCall.get(call) ?? this.#begun(call);
    if (idOf(call) !== "") this.#byId.set(idOf(call), growing);
    const input = inputOf(piece);
    if (typeof input === "string") growing.end.add(input);
    growing.whole ||= typeof input === "object" && input !== null;
    growing.named = growing.end.reached && nameOf(piece) !== "" && textOf(input).trim() === "";
  }

  #begun(call: Fields): Growing {
    const growing = { call, end: new ObjectEnd(), whole: false, named: false };
    this.#growing.push(growing);
    this.#byCall.set(call, growing);
    this.#byIndex.set(call["index"], growing);
    return growing;
  }

  /** The call that the piece's place points to, whether or not it is another's. */
  #before(piece: Fields, { at, of }: { at: number; of: number }): Growing | undefined {
    const id = idOf(piece);
    const index = piece["index"];
    const sameId = id === "" ? undefined : this.#byId.get(id);
    const isPlaced = typeof index === "number";
    if (sameId !== undefined && (!isPlaced || sameId.call["index"] === index)) return sameId;
    if (isPlaced) return this.#byIndex.get(index);
    // Those of one chunk are different calls; a single one goes on with the last.
    return of > 1 ? this.#growing[at] : this.#growing.at(-1);
  }

  #isAnother(piece: Fields, { call, end, whole, named }: Growing): boolean {
    const [id, known] = [idOf(piece), idOf(call)];
    if (id !== "" && known !== "") return id !== known;
    const name = nameOf(piece);
    if (name !== "" && nameOf(call) !== "" && name !== nameOf(call)) return true;
    const input = inputOf(piece);
    const brings = typeof input === "object" && input !== null ? true : textOf(input).trim() !== "";
    // After the end of its arguments nothing more belongs to a call that is named anew.
    return brings && (end.reached || whole) && (name !== "" || named);
  }
}
