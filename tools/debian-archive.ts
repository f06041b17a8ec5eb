import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Why packages cannot be had, in words for a person. */
export class NoPackagesError extends Error {
  override readonly name = 'NoPackagesError';
}

/** `deb` for programs, `deb-src` for sources, as in sources.list(5). */
type PackageKind = 'deb' | 'deb-src';

/** Ends the name of a folder somebody may still unpack into. */
const UNFINISHED = '.unfinished';

/** A package that lies unpacked, and nothing of it installed. */
export interface UnpackedPackage {
  readonly directory: string;
  readonly version: string;
}

/**
 * Debian's packages, from the mirrors this machine has its own from, whether or not it has lines for
 * that suite or `deb-src` lines. apt checks what it downloads against the signed lists; nothing of
 * the machine's own apt state is touched, nothing is installed.
 *
 * @param cache where lists and packages lie, to be used again by the next run.
 * @param suite instead of the suites the machine has, e.g. `trixie`.
 */
export class DebianArchive {
  readonly #cache: string;
  readonly #options: readonly string[];

  constructor(cache: string, suite: string | undefined, kind: PackageKind) {
    this.#cache = join(cache, suite ?? 'suites-of-this-machine');
    const apt = join(this.#cache, 'apt');
    const parts = join(apt, 'sources.list.d');
    for (const directory of [parts, join(apt, 'lists', 'partial'), join(apt, 'cache')]) {
      mkdirSync(directory, { recursive: true });
    }
    const sources = sourcesOfThisMachine(suite, kind);
    if (sources.length === 0) {
      throw new NoPackagesError('/etc/apt names no mirror of Debian to download packages from');
    }
    for (const { name, text } of sources) writeFileSync(join(parts, name), text);
    this.#options = [
      'Dir::Etc::SourceList=/dev/null',
      `Dir::Etc::SourceParts=${parts}`,
      `Dir::State::Lists=${join(apt, 'lists')}`,
      `Dir::Cache=${join(apt, 'cache')}`,
      'Acquire::Languages=none',
      // _apt may not write into a cache of root's.
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option]);
  }

  /** Fetches the lists. @throws NoPackagesError when the mirrors cannot be reached. */
  update(): void {
    // Without --error-on an unreachable mirror is a warning.
    this.#apt(this.#cache, ['--error-on=any', 'update']);
  }

  /** What an earlier run has unpacked; no mirror is asked whether there is a newer one. */
  unpackedBinary(name: string): UnpackedPackage | undefined {
    const beginning = `${name}-`;
    const [found] = readdirSync(this.#cache)
      .filter((file) => file.startsWith(beginning) && !file.endsWith(UNFINISHED))
      .map((file) => ({
        directory: join(this.#cache, file),
        version: file.slice(beginning.length),
      }))
      .filter(({ version }) => /^[0-9]/.test(version));
    return found;
  }

  /**
   * Downloads a binary package of this machine's architecture and unpacks all of it (`dpkg -x`). What
   * it depends on is left out.
   *
   * @throws NoPackagesError when it cannot be had.
   */
  unpackBinary(name: string): UnpackedPackage {
    const packages = join(this.#cache, 'packages', name);
    rmSync(packages, { recursive: true, force: true });
    mkdirSync(packages, { recursive: true });
    this.#apt(packages, ['download', name]);
    const [archive, another] = readdirSync(packages).filter((file) => file.endsWith('.deb'));
    if (archive === undefined || another !== undefined) {
      throw new NoPackagesError(`${name}: apt-get downloaded not one package`);
    }
    const version = decodeURIComponent(archive.split('_')[1] ?? '?');
    const directory = join(this.#cache, `${name}-${version}`);
    if (existsSync(directory)) return { directory, version };
    const unfinished = `${directory}${UNFINISHED}`;
    rmSync(unfinished, { recursive: true, force: true });
    try {
      execFileSync('dpkg', ['-x', join(packages, archive), unfinished], { stdio: 'pipe' });
    } catch (error) {
      throw new NoPackagesError(`${archive} cannot be unpacked: ${wordsOf(error)}`);
    }
    renameSync(unfinished, directory);
    return { directory, version };
  }

  /**
   * Downloads a source package, and unpacks of it what fits.
   *
   * @param wanted for tar, e.g. `*\/tests/*`.
   * @throws NoPackagesError when it cannot be had.
   */
  unpackSource(name: string, wanted: string): UnpackedPackage {
    const packages = join(this.#cache, 'packages', name);
    const download = (): readonly string[] => {
      mkdirSync(packages, { recursive: true });
      this.#apt(packages, ['source', '--download-only', name]);
      return readdirSync(packages).filter((file) => /\.orig\.tar\.\w+$/.test(file));
    };
    let archives = download();
    if (archives.length > 1) {
      // An older version lies there from an earlier run.
      rmSync(packages, { recursive: true });
      archives = download();
    }
    const [archive, another] = archives;
    if (archive === undefined || another !== undefined) {
      throw new NoPackagesError(`${name}: not one archive but ${archives.join(', ') || 'none'}`);
    }
    const version = /_(.*)\.orig\./.exec(archive)?.[1] ?? '?';
    const directory = join(this.#cache, `${name}-${version}`);
    if (!existsSync(directory)) {
      mkdirSync(directory);
      try {
        const tar = ['-xf', join(packages, archive), '--strip-components=1', '--wildcards', wanted];
        execFileSync('tar', ['-C', directory, ...tar], { stdio: 'pipe' });
      } catch (error) {
        // Half a package would be taken for a whole one.
        rmSync(directory, { recursive: true });
        throw new NoPackagesError(`${archive} cannot be unpacked: ${wordsOf(error)}`);
      }
    }
    return { directory, version };
  }

  #apt(directory: string, command: readonly string[]): void {
    try {
      execFileSync('apt-get', ['-q', ...this.#options, ...command], {
        cwd: directory,
        stdio: 'pipe',
        encoding: 'utf8',
        timeout: 900_000,
      });
    } catch (error) {
      throw new NoPackagesError(`apt-get ${command.join(' ')}: ${wordsOf(error)}`);
    }
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof Error && 'stderr' in error && String(error.stderr).trim() !== '') {
    return String(error.stderr).trim();
  }
  return error instanceof Error ? error.message : String(error);
}

const APT = '/etc/apt';

/** The machine's sources of Debian's own packages, asking for packages of one kind alone. */
function sourcesOfThisMachine(
  suite: string | undefined,
  kind: PackageKind,
): readonly { readonly name: string; readonly text: string }[] {
  const parts = join(APT, 'sources.list.d');
  const files = [
    ...(existsSync(join(APT, 'sources.list')) ? ['sources.list'] : []),
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join('sources.list.d', name)) : []),
  ];
  return files.flatMap((file) => {
    const text = readFileSync(join(APT, file), 'utf8');
    const name = file.replaceAll('/', '_');
    if (file.endsWith('.sources')) {
      const stanzas = text
        .split(/\n\s*\n/)
        .filter(
          (stanza) => /^Types:.*\bdeb\b/m.test(stanza) && /^Components:.*\bmain\b/m.test(stanza),
        )
        .filter((stanza) => isDebians(/^URIs:\s*(\S+)/m.exec(stanza)?.[1], suite))
        .map((stanza) => stanza.replace(/^Types:.*$/m, `Types: ${kind}`))
        .map((stanza) => (suite === undefined ? stanza : inSuite(stanza, suite)));
      return stanzas.length === 0 ? [] : [{ name, text: `${stanzas.join('\n\n')}\n` }];
    }
    const lines = text
      .split('\n')
      .filter((line) => /^deb\s.*\smain\b/.test(line))
      .filter((line) => isDebians(/\s(\S+:\/\/\S+)/.exec(line)?.[1], suite))
      .map((line) => line.replace(/^deb\s/, `${kind} `))
      .map((line) =>
        suite === undefined ? line : line.replace(/(\s\S+:\/\/\S+\s+)\S+/, `$1${suite}`),
      );
    return lines.length === 0
      ? []
      : [{ name: name.replace(/(\.list)?$/, '.list'), text: `${lines.join('\n')}\n` }];
  });
}

/** Other people's packages lie elsewhere; a suite that was asked for is none of the security archive. */
function isDebians(uri: string | undefined, suite: string | undefined): boolean {
  const end = suite === undefined ? /\/debian(?:-security)?\/?$/ : /\/debian\/?$/;
  return uri !== undefined && end.test(uri);
}

function inSuite(stanza: string, suite: string): string {
  return stanza.replace(/^Suites:.*$/m, `Suites: ${suite}`);
}
