/** What came out of holding one kind of data of others against a second reading. */
export interface Report {
  /** E.g. `domains of libvirt`. */
  readonly what: string;
  readonly files: number;
  readonly values: number;
  readonly differences: readonly Difference[];
  /** What could not be compared, and why, one line for each kind of it. */
  readonly notes: readonly string[];
}

export interface Difference {
  /** Within the unpacked source package, e.g. `qemuxml2argvdata/disk.xml`. */
  readonly file: string;
  /** `place: ours, theirs`. */
  readonly text: string;
}

/** Differences that `explanations` say nothing of, and explanations of differences there are none of. */
export function unexplained(
  differences: readonly Difference[],
  explanations: readonly Explanation[],
): { readonly differences: readonly Difference[]; readonly unused: readonly Explanation[] } {
  const used = new Set<Explanation>();
  const left = differences.filter(({ file, text }) => {
    const explanation = explanations.find((one) => one.file.test(file) && one.text.test(text));
    if (explanation !== undefined) used.add(explanation);
    return explanation === undefined;
  });
  return { differences: left, unused: explanations.filter((one) => !used.has(one)) };
}

/** A difference that is right to be there. */
export interface Explanation {
  readonly file: RegExp;
  readonly text: RegExp;
  readonly why: string;
}
