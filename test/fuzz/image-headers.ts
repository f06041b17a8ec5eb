import { PROBE_BYTES, probeImageFormat } from '../../src/sources/images/image-format.ts';
import { readHeader, USUAL_HEADER_BYTES } from '../../src/sources/images/image-header.ts';
import { imageReference } from '../../src/model/facts/image-reference.ts';
import { found } from '../../src/runtime/result.ts';
import { noFalseNumber } from './numbers.ts';
import { sampleImages } from './sample-images.ts';
import { mangledBytes } from './mangle.ts';
import { simple, type Target } from './target.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../../src/model/image.ts';

const MOST_READ_AT_ONCE = 128 * 1024;
const MOST_READS = 16;
const NONE: ReadonlySet<string> = new Set();

/** The header of an image, as whoever made the image wrote it, of every format there is. */
export const imageHeaders: Target = {
  name: 'image-headers',
  open() {
    const samples = sampleImages();
    return simple(async (pick) => {
      const sample = samples[pick(samples.length)] ?? samples[0];
      if (sample === undefined) throw new Error('no image');
      const image = mangledBytes(sample.bytes, pick);
      const probed = probeImageFormat(image.subarray(0, PROBE_BYTES), '/srv/a.img');
      // Mostly by the format the image has; an image can also be declared to be another.
      const formats: readonly ImageFormat[] = [
        ...[sample.format, sample.format, sample.format, probed],
        IMAGE_FORMATS[pick(IMAGE_FORMATS.length)] ?? 'raw',
      ];
      let reads = 0;
      const result = await readHeader(
        formats[pick(formats.length)] ?? probed,
        image.subarray(0, USUAL_HEADER_BYTES),
        image.length,
        (at, length) => {
          reads += 1;
          if (!Number.isSafeInteger(at) || at < 0) throw new Error(`a read at ${at}`);
          if (!(length >= 0 && length <= MOST_READ_AT_ONCE)) throw new Error(`${length} bytes`);
          return Promise.resolve(found(image.subarray(at, at + length)));
        },
      );
      if (reads > MOST_READS) throw new Error(`${reads} reads of one header`);
      if (!result.ok) {
        if ('kind' in result.error)
          throw new Error(`no read failed, and yet: ${result.error.detail}`);
        return 'refusal';
      }
      const facts = result.value;
      noFalseNumber(facts, NONE);
      const below = facts.below.kind === 'named' ? [facts.below.name] : [];
      for (const name of [...below, ...facts.dataFiles.map((file) => file.name)]) {
        imageReference(name, '/srv/a.img');
      }
      return 'value';
    });
  },
};
