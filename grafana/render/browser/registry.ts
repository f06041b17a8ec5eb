import {
  displayNameOverrideProcessor,
  FieldConfigOptionsRegistry,
  identityOverrideProcessor,
  numberOverrideProcessor,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  valueMappingsOverrideProcessor,
  dataLinksOverrideProcessor,
  type FieldConfigPropertyItem,
} from '@grafana/data';

/** Options of fields, and what Grafana makes of an override of each; its own list is in its server's bundle. */
const STANDARD = {
  unit: unitOverrideProcessor,
  min: numberOverrideProcessor,
  max: numberOverrideProcessor,
  decimals: numberOverrideProcessor,
  displayName: displayNameOverrideProcessor,
  noValue: stringOverrideProcessor,
  links: dataLinksOverrideProcessor,
  color: identityOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
  mappings: valueMappingsOverrideProcessor,
  filterable: identityOverrideProcessor,
};

/** Those of single panel types that dashboards may override. */
const CUSTOM = [
  ...['lineWidth', 'fillOpacity', 'gradientMode', 'showPoints', 'spanNulls', 'lineStyle'],
  ...['stacking', 'align', 'inspect', 'filterable', 'cellOptions', 'width', 'minWidth'],
  ...['hideFrom', 'hidden', 'axisPlacement', 'axisLabel', 'axisSoftMin', 'axisSoftMax'],
  ...['axisColorMode', 'drawStyle', 'lineInterpolation', 'pointSize', 'thresholdsStyle'],
  ...['scaleDistribution', 'axisGridShow', 'wrapText'],
];

type Process = FieldConfigPropertyItem['process'];

function item(id: string, process: Process, isCustom: boolean): FieldConfigPropertyItem {
  const none = (): null => null;
  return {
    id: isCustom ? `custom.${id}` : id,
    path: id,
    name: id,
    isCustom,
    process,
    override: none,
    editor: none,
    shouldApply: () => true,
    settings: {},
    getItemsCount: () => 0,
  };
}

const STANDARD_ITEMS = Object.entries(STANDARD).map(([id, process]) =>
  item(id, process as Process, false),
);

/** All options overrides can name. */
export const FIELD_OPTIONS = new FieldConfigOptionsRegistry(() => [
  ...STANDARD_ITEMS,
  ...CUSTOM.map((id) => item(id, identityOverrideProcessor as Process, true)),
]);

/** Fills what Grafana fills when it starts. */
export function fillRegistries(): void {
  standardFieldConfigEditorRegistry.setInit(() => STANDARD_ITEMS);
  standardTransformersRegistry.setInit(() =>
    [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer].map(
      (transformation) => ({
        id: transformation.id,
        name: transformation.name,
        editor: () => null,
        transformation: () => Promise.resolve(transformation),
        imageDark: '',
        imageLight: '',
      }),
    ),
  );
}
