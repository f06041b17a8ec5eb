import {
  formattedValueToString,
  getFieldDisplayName,
  type DataFrame,
  type GrafanaTheme2,
} from '@grafana/data';
import type { ReactNode } from 'react';
import type { DrawingOrder } from './protocol.ts';

interface Stretch {
  readonly text: string;
  readonly color: string | undefined;
  readonly from: number;
  to: number;
}

const AXIS = 24;
const LETTER = 7;

/** The state timeline, which Grafana keeps to itself: rows of stretches in which a value stays the same. */
export function Timeline(props: {
  readonly frames: readonly DataFrame[];
  readonly order: DrawingOrder;
  readonly theme: GrafanaTheme2;
  readonly width: number;
  readonly height: number;
}): ReactNode {
  const { frames, order, theme, width, height } = props;
  const rows = frames.map((frame) => ({
    name: nameOf(frame, frames),
    stretches: stretchesOf(frame),
  }));
  const names = Math.max(40, ...rows.map(({ name }) => name.length * LETTER + 8));
  const rowHeight = (height - AXIS) / Math.max(1, rows.length);
  const share = (milliseconds: number): number =>
    (Math.min(milliseconds / 1000, order.to) - order.from) / (order.to - order.from);
  const x = (milliseconds: number): number => names + share(milliseconds) * (width - names - 4);
  const hours = Array.from(
    { length: 7 },
    (_, index) => order.from + ((order.to - order.from) * index) / 6,
  );
  return (
    <svg width={width} height={height}>
      {rows.map(({ name, stretches }, index) => (
        <g key={name}>
          <text
            x={names - 6}
            y={index * rowHeight + rowHeight / 2 + 4}
            fontSize={12}
            textAnchor="end"
            fill={theme.colors.text.primary}
          >
            {name}
          </text>
          {stretches.map(({ text, color, from, to }) => (
            <g key={from}>
              <rect
                x={x(from)}
                y={index * rowHeight + 1}
                width={Math.max(1, x(to) - x(from))}
                height={Math.max(1, rowHeight - 2)}
                fill={color}
                fillOpacity={0.7}
              />
              {x(to) - x(from) > text.length * LETTER + 8 && (
                <text
                  x={x(from) + 4}
                  y={index * rowHeight + rowHeight / 2 + 4}
                  fontSize={12}
                  fill={theme.colors.text.primary}
                >
                  {text}
                </text>
              )}
            </g>
          ))}
        </g>
      ))}
      {hours.slice(1, -1).map((seconds) => (
        <text
          key={seconds}
          x={x(seconds * 1000)}
          y={height - 6}
          fontSize={12}
          textAnchor="middle"
          fill={theme.colors.text.secondary}
        >
          {new Date(seconds * 1000).toISOString().slice(11, 16)}
        </text>
      ))}
    </svg>
  );
}

function nameOf(frame: DataFrame, frames: readonly DataFrame[]): string {
  const value = frame.fields[1];
  return value === undefined ? '' : getFieldDisplayName(value, frame, [...frames]);
}

function stretchesOf(frame: DataFrame): readonly Stretch[] {
  const [time, value] = frame.fields;
  const stretches: Stretch[] = [];
  if (time === undefined || value?.display === undefined) return stretches;
  const interval = time.config.interval ?? 0;
  for (let index = 0; index < frame.length; index += 1) {
    const shown = value.display(value.values[index]);
    const text = formattedValueToString(shown);
    const from: number = time.values[index];
    const last = stretches.at(-1);
    if (last?.text === text && from - last.to <= 1) last.to = from + interval;
    else stretches.push({ text, color: shown.color, from, to: from + interval });
  }
  return stretches;
}
