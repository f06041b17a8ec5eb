import {
  dateTime,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  type FieldDisplay,
  type GrafanaTheme2,
  type TimeRange,
} from '@grafana/data';
import { BigValue, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import type { ReactNode } from 'react';
import type { PanelData } from './data.ts';
import type { DrawingOrder, DrawnPanel } from './protocol.ts';
import { Timeline } from './timeline.tsx';

interface Props {
  readonly panel: DrawnPanel;
  readonly data: PanelData;
  readonly order: DrawingOrder;
  readonly theme: GrafanaTheme2;
  readonly width: number;
  readonly height: number;
}

/** One panel's content, with Grafana's own components. */
export function Visualization(props: Props): ReactNode {
  const { panel, data, order, theme, width, height } = props;
  if (data.frames.every(({ length }) => length === 0))
    return <NoData height={height} theme={theme} />;
  switch (panel.type) {
    case 'timeseries':
      return <Graph {...props} />;
    case 'table':
      return <Table {...props} />;
    case 'stat':
      return <Tiles {...props} />;
    case 'state-timeline':
      return <Timeline {...{ order, theme, width, height }} frames={data.frames} />;
    default:
      throw new Error(`nobody knows how to draw a ${panel.type}`);
  }
}

function Graph({ panel, data, order, width, height }: Props): ReactNode {
  const options = panel.options as { legend: React.ComponentProps<typeof TimeSeries>['legend'] };
  return (
    <TimeSeries
      {...{ width, height }}
      frames={data.frames}
      timeRange={rangeOf(order)}
      timeZone="utc"
      legend={options.legend}
      structureRev={1}
    />
  );
}

function Table({ panel, data, width, height, order }: Props): ReactNode {
  const options = panel.options as Pick<
    React.ComponentProps<typeof TableNG>,
    'sortBy' | 'cellHeight'
  > & { readonly showHeader: boolean };
  const [frame] = data.frames;
  if (frame === undefined) return null;
  return (
    <TableNG
      {...{ width, height }}
      data={frame}
      noHeader={!options.showHeader}
      {...(options.sortBy === undefined ? {} : { sortBy: options.sortBy })}
      {...(options.cellHeight === undefined ? {} : { cellHeight: options.cellHeight })}
      fieldConfig={data.fieldConfig}
      structureRev={1}
      timeRange={rangeOf(order)}
      enableVirtualization={false}
      getActions={() => []}
      disableSanitizeHtml={true}
    />
  );
}

type BigValueProps = React.ComponentProps<typeof BigValue>;

function Tiles({ panel, data, theme, width, height }: Props): ReactNode {
  const options = panel.options as Pick<
    BigValueProps,
    'colorMode' | 'graphMode' | 'justifyMode' | 'textMode' | 'text'
  > &
    Pick<Parameters<typeof getFieldDisplayValues>[0], 'reduceOptions'> & {
      readonly orientation: React.ComponentProps<typeof VizRepeater>['orientation'];
    };
  const values = getFieldDisplayValues({
    fieldConfig: data.fieldConfig,
    reduceOptions: options.reduceOptions,
    replaceVariables: (text) => text,
    theme,
    data: data.frames,
    timeZone: 'utc',
  });
  return (
    <VizRepeater<FieldDisplay, ReturnType<typeof getDisplayValueAlignmentFactors>>
      source={data.frames}
      getValues={() => values}
      orientation={options.orientation}
      {...{ width, height }}
      autoGrid={true}
      renderCounter={1}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width: own, height: high, count, alignmentFactors }) => (
        <BigValue
          value={value.display}
          count={count}
          width={own}
          height={high}
          theme={theme}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          {...(options.text === undefined ? {} : { text: options.text })}
          alignmentFactors={alignmentFactors}
        />
      )}
    />
  );
}

function NoData({ height, theme }: { height: number; theme: GrafanaTheme2 }): ReactNode {
  const color = theme.colors.text.secondary;
  return <div style={{ display: 'grid', placeItems: 'center', height, color }}>No data</div>;
}

function rangeOf({ from, to }: DrawingOrder): TimeRange {
  const [left, right] = [dateTime(from * 1000), dateTime(to * 1000)];
  return { from: left, to: right, raw: { from: left, to: right } };
}
