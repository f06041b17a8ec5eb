import type { View } from '../metrics/view.ts';

/** The page a person opens first: what this exporter sees, in plain words. */
export function landingPage(view: View, telemetryPath: string): string {
  const { snapshot } = view;
  const rows = view.domains
    .map(
      ({ domain }) =>
        `<tr><td>${escapeHtml(domain.name)}</td><td>${escapeHtml(domain.state)}</td></tr>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>KVM over-commitment</title></head>
<body><h1>KVM over-commitment</h1>
${snapshot.demo ? '<p>This is a demo: the host is simulated.</p>' : ''}
<p>libvirt is ${snapshot.libvirt.up ? 'connected' : 'not connected'}.</p>
<p><a href="${escapeHtml(telemetryPath)}">Metrics</a></p>
<table><thead><tr><th>Guest</th><th>State</th></tr></thead><tbody>
${rows}
</tbody></table></body></html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
