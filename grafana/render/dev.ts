import { readFileSync, mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { draw } from './draw.ts';
import { SCENES, RANGE_SECONDS, SCRAPE_INTERVAL_SECONDS } from './scenes.ts';
const [prometheus, sceneName, mode, width, unfolded, ...uids] = process.argv.slice(2);
const scene = SCENES.find((s) => s.name === sceneName)!;
mkdirSync('out/render/dev', { recursive: true });
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
for (const uid of uids) {
  const dashboard = JSON.parse(readFileSync(`grafana/dashboards/${uid}.json`, 'utf8'));
  const many = ['kvm-fleet', 'kvm-capacity'].includes(uid);
  const choice = {
    cluster: '.*',
    job: '.+',
    instance: many ? '.+' : scene.instance,
    domain:
      uid === 'kvm-guest' ? (scene.instance.startsWith('calm') ? 'web-01' : 'build-01') : '.+',
    mountpoint: '.+',
    device: '.+',
    vcpus: '2',
    memory: '4',
    disk: '40',
  };
  const t = Date.now();
  const d = await draw(
    browser,
    {
      dashboard,
      choice,
      from: scene.to - RANGE_SECONDS,
      to: scene.to,
      mode: mode as 'dark',
      width: Number(width),
      scrapeIntervalSeconds: SCRAPE_INTERVAL_SECONDS,
      unfolded: unfolded === 'all',
    },
    {
      bundle: 'out/render/bundle',
      prometheus: prometheus!,
      picture: `out/render/dev/${uid}-${sceneName}-${mode}-${width}-${unfolded}.png`,
    },
  );
  console.log('==', uid, Date.now() - t, 'ms', d.complaints.slice(0, 3));
  for (const p of d.panels) {
    const long = p.axisLabels.filter((l) => l.length > 8);
    if (p.error || p.empty || p.duplicates.length || long.length || p.cut.length)
      console.log(
        ' ',
        p.title,
        p.error ?? '',
        p.empty ? 'EMPTY' : '',
        p.duplicates.slice(0, 2),
        long.slice(0, 4),
        p.cut
          .slice(0, 5)
          .map((c) => `${c.part}:${c.text}`)
          .join(' | '),
      );
  }
}
await browser.close();
