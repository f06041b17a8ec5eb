import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { galleryFile } from '../../../grafana/dashboard-file.ts';
import { committedDashboards } from '../../../grafana/dashboard-models.ts';
import { panelsOf } from '../../../grafana/lint/model.ts';

describe('the variant for Grafana’s gallery', () => {
  it.each(committedDashboards())(
    'of $title asks for the data source and says what it needs',
    (one) => {
      const variant: unknown = JSON.parse(readFileSync(galleryFile(one), 'utf8'));
      const types = new Set(panelsOf(one).map(({ type }) => type));
      const requirements: unknown = expect.arrayContaining([
        expect.objectContaining({ type: 'grafana', version: '10.4.0' }),
        expect.objectContaining({ type: 'datasource', id: 'prometheus' }),
        ...[...types].map((id): unknown => expect.objectContaining({ type: 'panel', id })),
      ]);
      expect(variant).toMatchObject({
        uid: one.uid,
        id: null,
        __inputs: [{ name: 'DS_PROMETHEUS', type: 'datasource', pluginId: 'prometheus' }],
        __requires: requirements,
        panels: one.panels,
      });
      expect(JSON.stringify(variant)).toContain('"value":"${DS_PROMETHEUS}"');
    },
  );
});
