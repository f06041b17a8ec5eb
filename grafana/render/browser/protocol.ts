/** What the page is told, and what it says when all is drawn. */
export interface DrawingOrder {
  readonly dashboard: DrawnDashboard;
  /** Values of the variables, and of `cluster` where there is none. */
  readonly choice: Readonly<Record<string, string>>;
  /** Unix time of both edges. */
  readonly from: number;
  readonly to: number;
  readonly mode: 'dark' | 'light';
  /** In pixels. */
  readonly width: number;
  readonly scrapeIntervalSeconds: number;
  /** Shows what is folded as well. */
  readonly unfolded: boolean;
}

/** What is read of a dashboard here. */
export interface DrawnDashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly DrawnRow[];
}

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface DrawnRow extends DrawnPanel {
  /** What a folded row holds. */
  readonly panels?: readonly DrawnPanel[] | undefined;
}

export interface DrawnPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string | undefined;
  readonly gridPos: Place;
  readonly targets?: readonly DrawnTarget[] | undefined;
  readonly transformations?:
    readonly { readonly id: string; readonly options: unknown }[] | undefined;
  readonly fieldConfig?: unknown;
  readonly options?: unknown;
}

export interface DrawnTarget {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string | undefined;
  readonly range?: boolean | undefined;
  readonly instant?: boolean | undefined;
  readonly format?: string | undefined;
}

/** A panel as it came out. */
export interface PanelFacts {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  /** Set when it could not be drawn. */
  readonly error: string | undefined;
  /** No series, no rows. */
  readonly empty: boolean;
  /** Names of series that occur more than once. */
  readonly duplicates: readonly string[];
  /** Texts drawn along the axes. */
  readonly axisLabels: readonly string[];
  /** Texts one cannot read to their end, with what they are part of. */
  readonly cut: readonly CutText[];
}

export interface CutText {
  readonly part: 'title' | 'table' | 'legend' | 'tile' | 'other';
  readonly text: string;
}

declare global {
  interface Window {
    readonly drawingOrder: DrawingOrder;
    /** Set once everything is drawn. */
    drawn?: readonly PanelFacts[];
  }
}
