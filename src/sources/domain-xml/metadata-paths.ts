import type { MetadataLabel, MetadataPath } from '../../model/guest-owner.ts';
import { seriousText } from './serious-text.ts';
import type { NameTree } from './xml-wanted.ts';
import type { NamespacedElement } from './namespaces.ts';

/**
 * All elements such paths may mean, several paths laid over each other. Where the namespace ends in a
 * path is known only once one is met, so the first name may be any of its parts.
 */
export function wantedByPaths(paths: readonly MetadataPath[]): NameTree {
  const wanted = emptyTree();
  for (const { path } of paths) {
    const names = path.split('/').filter((name) => !name.startsWith('@'));
    for (let first = 1; first < names.length; first += 1) add(wanted, names.slice(first));
  }
  return wanted;
}

interface GrowingTree extends NameTree {
  readonly inside: Map<string, GrowingTree>;
}

function emptyTree(): GrowingTree {
  return { inside: new Map() };
}

function add(wanted: GrowingTree, names: readonly string[]): void {
  let here = wanted;
  for (const name of names) {
    const next = here.inside.get(name) ?? emptyTree();
    here.inside.set(name, next);
    here = next;
  }
}

/**
 * What the metadata of a guest have at these paths; a path that leads nowhere gives nothing.
 *
 * @param roots the elements directly in `<metadata>`.
 */
export function metadataLabels(
  roots: readonly NamespacedElement[],
  paths: readonly MetadataPath[],
): readonly MetadataLabel[] {
  return paths.flatMap(({ label, path }) => {
    for (const root of roots) {
      const names = namesBelow(root, path);
      const value = names && seriousText(valueAt(root, names));
      if (value !== undefined) return [{ label, value }];
    }
    return [];
  });
}

/** The names of a path below its root; undefined: it is not the root of this path. */
function namesBelow(root: NamespacedElement, path: string): readonly string[] | undefined {
  const { namespace, name } = root;
  if (namespace === '') return undefined;
  const start = `${namespace.replace(/\/$/, '')}/`;
  if (!path.startsWith(start)) return undefined;
  const [first, ...others] = path.slice(start.length).split('/');
  return first === name ? others : undefined;
}

/** Below the root a name is enough: people leave the prefix out there, or use another. */
function valueAt(root: NamespacedElement, names: readonly string[]): string | undefined {
  let here: NamespacedElement | undefined = root;
  for (const name of names) {
    if (name.startsWith('@')) return here?.element.attribute(name.slice(1));
    here = here?.children.find((child) => child.name === name);
  }
  return here?.element.text;
}
