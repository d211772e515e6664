import { join, resolve } from "node:path";
import type { Expression, Identifier, Node, ObjectBindingPattern } from "typescript/unstable/ast";
import {
  isBindingElement,
  isElementAccessExpression,
  isIdentifier,
  isObjectBindingPattern,
  isPropertyAccessExpression,
} from "typescript/unstable/ast/is";
import {
  API,
  type Checker,
  type Type,
  TypeFlags,
  type UnionOrIntersectionType,
} from "typescript/unstable/sync";

const ROOT = resolve(import.meta.dirname, "../..");

/** Where a property is read: its name, and the names of all properties of what it is read from. */
export interface Read {
  name: string;
  from: ReadonlySet<string>;
}

interface Site {
  /** Undefined where the name is computed: it may be any. */
  name: string | undefined;
  node: Expression | ObjectBindingPattern;
}

/** `a.name`, `{ name } = a` and `a[name]`. */
function sitesIn(file: Node): Site[] {
  const sites: Site[] = [];
  const visit = (node: Node): void => {
    if (isPropertyAccessExpression(node)) sites.push({ name: node.name.text, node: node.expression });
    if (isElementAccessExpression(node)) sites.push({ name: undefined, node: node.expression });
    if (isObjectBindingPattern(node)) {
      for (const element of node.elements) {
        if (!isBindingElement(element)) continue;
        const { propertyName, name } = element;
        const read = propertyName ?? name;
        if (read !== undefined && isIdentifier(read)) sites.push({ name: (read as Identifier).text, node });
      }
    }
    node.forEachChild(visit);
  };
  visit(file);
  return sites;
}

/** The types that a value may have: a union's members, else itself. */
const membersOf = (type: Type): readonly Type[] =>
  (type.flags & TypeFlags.Union) === 0 ? [type] : (type as UnionOrIntersectionType).getTypes();

/**
 * Every place where a property of one of these names is read in these folders, by the types that the compiler sees.
 *
 * @param folders of the repository
 */
export function readsOf(names: ReadonlySet<string>, folders: readonly string[]): Read[] {
  const api = new API({ cwd: ROOT });
  try {
    const config = join(ROOT, "tsconfig.json");
    const project = api.updateSnapshot({ openProject: config }).getProject(config)!;
    const { checker, program } = project;
    const propertiesOf = remembered(checker);
    const inside = folders.map((folder) => `${join(ROOT, folder)}/`);
    const files = program
      .getSourceFileNames()
      .filter((file) => inside.some((folder) => file.startsWith(folder)));
    return files.flatMap((name) => {
      const sites = sitesIn(program.getSourceFile(name)!).filter(
        (site) => site.name === undefined || names.has(site.name),
      );
      const types = checker.getTypeAtLocation(sites.map(({ node }) => node));
      return sites.flatMap((site, index) =>
        (types[index] === undefined ? [] : membersOf(types[index])).flatMap((type) => {
          const from = propertiesOf(type);
          const read = site.name === undefined ? [...from] : [site.name];
          return read
            .filter((each) => names.has(each) && from.has(each))
            .map((each) => ({ name: each, from }));
        }),
      );
    });
  } finally {
    api.close();
  }
}

function remembered(checker: Checker): (type: Type) => ReadonlySet<string> {
  const known = new Map<number, ReadonlySet<string>>();
  return (type) => {
    const found = known.get(type.id) ?? new Set(checker.getPropertiesOfType(type).map(({ name }) => name));
    known.set(type.id, found);
    return found;
  };
}
