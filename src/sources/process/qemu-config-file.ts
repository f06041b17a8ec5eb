import { failed, found, type Result } from '../../runtime/result.ts';

/** Files of managers are some KiB; QEMU itself has no limit. */
export const MAX_CONFIG_BYTES = 256 * 1024;
const MAX_ENTRIES = 4096;

/** `[memory]`, `[object "mem0"]`, `[device "qemu_balloon"]` (util/qemu-config.c). */
const SECTION = /^\s*\[\s*([a-z][\w-]*)(?:\s+"([^"]*)")?\s*\]\s*$/i;
const VALUE = /^\s*([\w.-]+)\s*=\s*"([^"]*)"\s*$/;

/** Sections whose option has another name. */
const OPTIONS: Readonly<Record<string, string>> = { memory: 'm', 'smp-opts': 'smp' };

/** What an option wants first, without its key, to be told from others. */
const LEADING: Readonly<Record<string, string>> = {
  device: 'driver',
  object: 'qom-type',
  netdev: 'type',
  machine: 'type',
};

/**
 * Reads a file of options as QEMU's `-readconfig` takes it, and Incus and LXD write it, into the words of
 * a command line: `[memory] size = "4096M"` is `-m size=4096M`. Lines that are neither section nor value
 * are passed over. Malformed where there is no single value.
 */
export function parseQemuConfig(text: string, subject: string): Result<readonly string[]> {
  const words: string[] = [];
  let entries = 0;
  let section: { readonly option: string; readonly pairs: Map<string, string> } | undefined;
  const finish = (): void => {
    if (section === undefined || section.pairs.size === 0) return;
    words.push(
      `-${OPTIONS[section.option] ?? section.option}`,
      toText(section.option, section.pairs),
    );
  };
  for (const line of text.split('\n')) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [header, option, id] = SECTION.exec(line) ?? [];
    if (header !== undefined && option !== undefined) {
      finish();
      section = { option, pairs: new Map(id === undefined ? [] : [['id', id]]) };
      continue;
    }
    const [, key, value] = VALUE.exec(line) ?? [];
    if (key === undefined || value === undefined || section === undefined) continue;
    entries += 1;
    if (entries > MAX_ENTRIES) return failed('malformed', subject, 'too many values');
    section.pairs.set(key, value);
  }
  finish();
  if (entries === 0) return failed('malformed', subject, 'no line of the form key = "value"');
  return found(words);
}

/** A comma inside a value is written twice. */
function toText(option: string, pairs: ReadonlyMap<string, string>): string {
  const leading = LEADING[option];
  const first = leading === undefined ? undefined : pairs.get(leading);
  const rest = [...pairs]
    .filter(([key]) => key !== leading)
    .map(([key, value]) => `${key}=${value.replaceAll(',', ',,')}`);
  return (first === undefined ? rest : [first.replaceAll(',', ',,'), ...rest]).join(',');
}
