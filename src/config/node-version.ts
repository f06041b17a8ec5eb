/**
 * Ends the process where this Node is older than the package's `engines` say: imported before
 * everything else, as the rest may not even load there, or worse, load and fail at every scrape.
 */
const OLDEST = { major: 22, minor: 18 };

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
  process.stderr.write(
    `kvm-overcommit-exporter needs Node.js ${OLDEST.major}.${OLDEST.minor} or newer and was started ` +
      `with ${process.versions.node}: install it with its optional packages, which bring one, or ` +
      'put a newer node first in PATH\n',
  );
  process.exit(2);
}
