import type { MemoryFile } from '../../model/process.ts';
import { propertyAt, textAt } from '../kernel/json-text.ts';
import { ownText } from '../kernel/own-text.ts';

/** No guest has more nodes of its own and memory devices. */
const MAX_FILES = 1_024;
const TYPE = 'memory-backend-file';

/**
 * The files in which a QEMU was told to keep the guest's RAM and share it: objects of type
 * `memory-backend-file` (QEMU docs/system/qemu-manpage, `-object`; qemu_command.c of libvirt writes them
 * as JSON since 6.x, as `key=value` before). Of a private one nothing is ever written to the file. Huge
 * pages and persistent memory are given to QEMU in the same way: the XML tells which it is.
 *
 * @param commandLine words ended by NUL, as in /proc/<pid>/cmdline.
 */
export function parseMemoryFiles(commandLine: string): readonly MemoryFile[] {
  const files: MemoryFile[] = [];
  const words = commandLine.split('\0');
  for (const [index, word] of words.entries()) {
    if (word !== '-object' || files.length >= MAX_FILES) continue;
    const file = parseObject(ownText(words[index + 1] ?? ''));
    if (file !== undefined) files.push(file);
  }
  return files;
}

function parseObject(text: string): MemoryFile | undefined {
  if (!text.includes(TYPE)) return undefined;
  const backend = text.startsWith('{') ? fromJson(text) : fromPairs(text);
  const id = textAt(backend, 'id');
  const path = textAt(backend, 'mem-path');
  if (textAt(backend, 'qom-type') !== TYPE || propertyAt(backend, 'share') !== true) {
    return undefined;
  }
  return id !== undefined && path?.startsWith('/') === true ? { id, path } : undefined;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `memory-backend-file,id=a,mem-path=/x,share=yes`; a comma inside a value is written twice. */
function fromPairs(text: string): unknown {
  const [type, ...options] = text.replaceAll(',,', '\0').split(',');
  const pairs = new Map(
    options.map((option) => {
      const at = option.indexOf('=');
      const name = at === -1 ? option : option.slice(0, at);
      return [name, at === -1 ? 'on' : option.slice(at + 1).replaceAll('\0', ',')];
    }),
  );
  const share = pairs.get('share');
  return {
    'qom-type': type,
    id: pairs.get('id'),
    'mem-path': pairs.get('mem-path'),
    share: share === 'on' || share === 'yes' || share === 'true',
  };
}
