/** V8 copies what is shorter (SlicedString::kMinLength in src/objects/string.h). */
const MIN_SLICE = 13;

/**
 * The same text by itself. V8 makes a part of a text a view of the whole, which then stays in memory for
 * as long as the part: a few words would keep the command line of each QEMU. For a part that is kept
 * from one scrape to the next, or many times over in one.
 */
export function ownText(part: string): string {
  return part.length < MIN_SLICE ? part : Buffer.from(part).toString();
}
