import type { Project } from './project.ts';

export interface Checkout {
  readonly version: string;
  /** Name and address, the maintainer of the packages. */
  readonly author: string;
  readonly changelog: string;
  /** As `git status --porcelain` lists them. */
  readonly changedFiles: readonly string[];
  /** Of the commit that is checked out. */
  readonly tags: readonly string[];
}

/** What stands between a checkout and a release of it. */
export function releaseFaults(checkout: Checkout): readonly string[] {
  const { version, author, changelog, changedFiles, tags } = checkout;
  const faults: string[] = [];
  if (changedFiles.length > 0) faults.push(`files are not committed: ${changedFiles.join(', ')}`);
  if (!changelog.includes(`\n## ${version}`)) {
    faults.push(`CHANGELOG.md has no section "## ${version}"`);
  }
  if (!canBeReached(author)) {
    faults.push(`nobody can write to the maintainer: set "author" in package.json, now ${author}`);
  }
  if (!tags.includes(`v${version}`)) faults.push(`the commit has no tag v${version}`);
  return faults;
}

/** Hosts that are kept for examples (RFC 2606). Packages must have an address; this one is nobody's. */
function canBeReached(author: string): boolean {
  return !/[@.](?:example(?:\.(?:com|net|org))?|invalid|test|localhost)>$/.test(author);
}

/** Commands for a person who has keys and accounts, in their order. */
export function whatIsLeft({ name, version, author }: Project): string {
  const file = (rest: string) => `out/${name}_${version}${rest}`;
  const registry = `ghcr.io/${name}/${name}`;
  return [
    'Built and not published. What is left for a person, who has the keys:',
    '',
    ...(canBeReached(author)
      ? []
      : [
          `0. Set "author" in package.json to somebody who answers, now ${author}, and build anew.`,
        ]),
    '1. Run the arm64 executable on an arm64 machine; here only its headers were checked:',
    `     ${file('_linux_arm64')} --version`,
    '2. Sign the checksums, and the rpm packages, which carry their signature inside:',
    '     gpg --armor --detach-sign out/SHA256SUMS',
    '     rpmsign --addsign out/*.rpm    # afterwards their lines in SHA256SUMS are made anew',
    '3. Tag, push, and attach what is in out/ to the release:',
    `     git tag --sign v${version} && git push origin v${version}`,
    '4. Push the images and one name for both:',
    ...['amd64', 'arm64'].map(
      (one) =>
        `     skopeo copy oci-archive:${file(`_${one}.oci.tar`)} docker://${registry}:${version}-${one}`,
    ),
    `     buildah manifest create ${registry}:${version} \\`,
    `       docker://${registry}:${version}-amd64 docker://${registry}:${version}-arm64`,
    `     buildah manifest push --all ${registry}:${version} docker://${registry}:${version}`,
    '5. Publish to npm:',
    `     npm publish ${file('_npm.tgz')} --access public`,
    '6. Add the .deb and .rpm to a repository of packages, if there is one.',
    '7. Set the next version in package.json; nothing else holds it.',
    '',
  ].join('\n');
}
