import {
  createTheme,
  DashboardCursorSync,
  EventBusSrv,
  locationUtil,
  ThemeContext,
  type DataFrame,
  type GrafanaTheme2,
} from '@grafana/data';
import { GlobalStyles, PanelChrome, PanelContextProvider } from '@grafana/ui';
import { Component, useEffect, useState, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { dataOf, duplicatesIn, type PanelData } from './data.ts';
import { axisLabelsOf, cutTextsOf, listenToCanvases } from './facts.ts';
import { layOut, MARGIN } from './layout.ts';
import type { DrawnPanel, PanelFacts } from './protocol.ts';
import { fillIn } from './queries.ts';
import { fillRegistries } from './registry.ts';
import { Visualization } from './visualization.tsx';

const order = window.drawingOrder;
const theme: GrafanaTheme2 = createTheme({ colors: { mode: order.mode } });

/** What became of each panel so far. */
const outcomes = new Map<number, { readonly data?: PanelData; readonly error?: string }>();
/** Graphs lay themselves out again once their legend has its size. */
const SETTLING_FRAMES = 15;

class Guard extends Component<{ readonly panel: DrawnPanel; readonly children: ReactNode }> {
  override state: { readonly fault?: Error } = {};

  static getDerivedStateFromError(fault: Error): { fault: Error } {
    return { fault };
  }

  override componentDidCatch(fault: Error): void {
    outcomes.set(this.props.panel.id, { error: fault.message });
  }

  override render(): ReactNode {
    return this.state.fault === undefined ? this.props.children : this.state.fault.message;
  }
}

interface ContentProps {
  readonly panel: DrawnPanel;
  readonly width: number;
  readonly height: number;
}

function Content({ panel, width, height }: ContentProps): ReactNode {
  const [data, setData] = useState<PanelData>();
  useEffect(() => {
    dataOf(panel, order, width, theme).then(
      (found) => {
        outcomes.set(panel.id, { data: found });
        setData(found);
      },
      (fault: unknown) => {
        outcomes.set(panel.id, { error: String(fault) });
      },
    );
  }, [panel, width]);
  if (data === undefined) return null;
  return <Visualization {...{ panel, data, order, theme, width, height }} />;
}

const { placed, height } = layOut(order.dashboard, order.width, order.unfolded);
const panels = placed.map(({ panel }) => panel).filter(({ type }) => type !== 'row');

function Page(): ReactNode {
  const bus = new EventBusSrv();
  const context = { eventsScope: 'panel', eventBus: bus, sync: () => DashboardCursorSync.Off };
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <PanelContextProvider value={context}>
        <div
          style={{
            padding: MARGIN,
            background: theme.colors.background.canvas,
            width: order.width,
          }}
        >
          <h3>{order.dashboard.title}</h3>
          <div style={{ position: 'relative', height }}>
            {placed.map(({ panel, isFolded, left, top, width: own, height: high }) => (
              <div
                key={panel.id}
                id={idOf(panel)}
                data-tile={panel.type === 'stat' ? '' : undefined}
                style={{ position: 'absolute', left, top, width: own, height: high }}
              >
                {panel.type === 'row' ? (
                  <div style={{ fontSize: 16, fontWeight: 500, lineHeight: '30px' }}>
                    {isFolded ? '›' : '⌄'} {fillIn(panel.title, order, 0)}
                  </div>
                ) : (
                  <Guard panel={panel}>
                    <PanelChrome
                      width={own}
                      height={high}
                      title={panel.title}
                      {...(panel.description === undefined
                        ? {}
                        : { description: panel.description })}
                      padding={panel.type === 'table' ? 'none' : 'md'}
                    >
                      {(innerWidth, innerHeight) => (
                        <Guard panel={panel}>
                          <Content panel={panel} width={innerWidth} height={innerHeight} />
                        </Guard>
                      )}
                    </PanelChrome>
                  </Guard>
                )}
              </div>
            ))}
          </div>
        </div>
      </PanelContextProvider>
    </ThemeContext.Provider>
  );
}

function idOf({ id }: DrawnPanel): string {
  return `panel-${id}`;
}

function factsOf(panel: DrawnPanel): PanelFacts {
  const { data, error } = outcomes.get(panel.id) ?? { error: 'it never answered' };
  const element = document.getElementById(idOf(panel));
  const isGraph = panel.type === 'timeseries';
  return {
    id: panel.id,
    title: panel.title,
    type: panel.type,
    error,
    empty: data?.frames.every((frame) => frame.length === 0 || isLimit(frame)) ?? false,
    duplicates: isGraph && data !== undefined ? duplicatesIn(data.frames) : [],
    axisLabels: element === null ? [] : axisLabelsOf(element),
    cut: element === null ? [] : cutTextsOf(element),
  };
}

function tablesWanted(): number {
  return panels.filter(({ id, type }) => {
    const { data } = outcomes.get(id) ?? {};
    return type === 'table' && data?.frames.some(({ length }) => length > 0) === true;
  }).length;
}

function tablesDrawn(): number {
  return document.querySelectorAll('[role=grid]').length;
}

/** A limit of the policy is there whether or not there is something it limits. */
function isLimit({ fields }: DataFrame): boolean {
  return fields.some(({ config }) => config.displayNameFromDS?.endsWith(' limit') === true);
}

function frame(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => resolve()));
}

async function main(): Promise<void> {
  listenToCanvases();
  fillRegistries();
  locationUtil.initialize({
    config: { appSubUrl: '', appUrl: location.origin } as Parameters<
      typeof locationUtil.initialize
    >[0]['config'],
    getVariablesUrlParams: () => ({}),
    getTimeRangeForUrl: () => ({ from: '', to: '' }),
  });
  const root = document.getElementById('root');
  if (root === null) throw new Error('the page has no root');
  createRoot(root).render(<Page />);
  while (panels.some(({ id }) => !outcomes.has(id))) await frame();
  // A table shows its rows once it has measured its columns.
  while (tablesDrawn() < tablesWanted()) await frame();
  for (let count = 0; count < SETTLING_FRAMES; count += 1) await frame();
  await document.fonts.ready;
  window.drawn = panels.map(factsOf);
}

await main();
