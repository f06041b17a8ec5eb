/**
 * `npm run test:lab`: runs the lab's tests. `--host=trixie` puts the lab on Debian 13
 * (`lab/README.md`); what else is given goes to vitest, e.g. `npm run test:lab -- hang`.
 */
import { spawn } from 'node:child_process';

import { HOST_VARIABLE, labHost } from '../../lab/host.ts';
import { labRun, LEFT_OUT } from '../../lab/hosts.ts';

const { host, rest } = labRun(process.argv.slice(2));
// The configuration of vitest leaves them out; its own option for that is lost on projects.
for (const [file, reason] of Object.entries(LEFT_OUT[host])) {
  process.stdout.write(`left out on ${host}: ${file} (${reason})\n`);
}

// Here, since no test has the time to make a root.
if (host !== 'here') {
  process.stdout.write(
    `root of ${host}: made if there is none yet, which takes some minutes ...\n`,
  );
  process.stdout.write(`root of ${host}: ${(await labHost(host)).root ?? ''}\n`);
}

const vitest = spawn('vitest', ['run', '--project', 'lab', ...rest], {
  stdio: 'inherit',
  env: { ...process.env, [HOST_VARIABLE]: host },
});
// The terminal sends Ctrl-C to both, and vitest then closes its labs. It ends first.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => vitest.kill('SIGTERM'));
vitest.on('error', (error) => {
  process.stderr.write(`vitest: ${error.message}\n`);
  process.exitCode = 1;
});
vitest.on('close', (code) => {
  process.exitCode = code ?? 1;
});
