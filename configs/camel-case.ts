/** `database_url` becomes `databaseUrl`. */
export type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** An object type with its own keys, and none below them, in camelCase. */
export type CamelKeys<T> = { [K in keyof T as K extends string ? CamelCase<K> : K]: T[K] };

/** A type with all its keys in camelCase; the names in records stay as they are. */
export type DeepCamelKeys<T> = T extends readonly (infer E)[]
  ? readonly DeepCamelKeys<E>[]
  : T extends object
    ? string extends keyof T
      ? { [K in keyof T]: DeepCamelKeys<T[K]> }
      : { [K in keyof T as K extends string ? CamelCase<K> : K]: DeepCamelKeys<T[K]> }
    : T;

/** Gives every name in a text its form in TypeScript. */
export const toCamelPath = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The name that a camelCase option has in a file. */
export const toSnake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Gives an object's own keys their names in TypeScript. */
export const camelKeys = <T extends object>(value: T): CamelKeys<T> =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [toCamelPath(key), inner])) as CamelKeys<T>;
