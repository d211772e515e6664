type Path = readonly PropertyKey[];
type Block = Record<PropertyKey, unknown>;

/** Something that a file says and that has no effect. */
export interface ConfigWarning {
  /** Keys that lead to it, as the file has them. */
  path: Path;
  words: string;
}

const isBlock = (value: unknown): value is Block =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (isBlock(value) && Object.keys(value).length === 0);

const startsWith = (path: Path, head: Path): boolean =>
  head.length <= path.length && head.every((key, at) => key === path[at]);

/** A copy of a configuration that is turned into another shape, and remembers where everything stood. */
export class Draft {
  readonly value: Block;
  readonly warnings: ConfigWarning[] = [];
  private readonly moves: { from: Path; to: Path }[] = [];

  constructor(value: Block) {
    this.value = structuredClone(value);
  }

  get(path: Path): unknown {
    return path.reduce<unknown>(
      (at, key) => (isBlock(at) && Object.hasOwn(at, key) ? at[key] : undefined),
      this.value,
    );
  }

  set(path: Path, value: unknown): void {
    let at = this.value;
    for (const key of path.slice(0, -1)) {
      if (!isBlock(at[key])) at[key] = {};
      at = at[key] as Block;
    }
    at[path.at(-1)!] = value;
  }

  /** Removes a value and returns it. */
  take(path: Path): unknown {
    const value = this.get(path);
    const parent = this.get(path.slice(0, -1));
    if (isBlock(parent)) delete parent[path.at(-1)!];
    return value;
  }

  /** Moves a value; nothing and null both mean that the file does not say. */
  move(from: Path, to: Path): void {
    const value = this.take(from);
    this.moves.push({ from, to });
    if (value !== undefined && value !== null) this.set(to, value);
  }

  /** Takes out what has no effect here, and says so, unless it says nothing or only `unless`. */
  drop(path: Path, words: string, unless?: unknown): void {
    const value = this.take(path);
    if (!isEmpty(value) && value !== unless) this.warnings.push({ path, words });
  }

  /** Ends a block: what is left of it moves along, for the schema to refuse it. */
  close(from: Path, to: Path): void {
    const block = this.get(from);
    if (isBlock(block)) for (const key of Object.keys(block)) this.move([...from, key], [...to, key]);
    if (isEmpty(this.get(from))) this.take(from);
  }

  /** Where the file has what stands at a path now. */
  origin(path: Path): Path {
    const move = this.moves
      .filter(({ to }) => startsWith(path, to))
      .sort((a, b) => b.to.length - a.to.length)[0];
    return move === undefined ? path : [...move.from, ...path.slice(move.to.length)];
  }
}
