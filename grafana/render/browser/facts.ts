import type { CutText } from './protocol.ts';

/** Texts drawn on canvases, which no element of the page holds. */
const TEXTS = new WeakMap<HTMLCanvasElement, Set<string>>();

/** Notes what is written on every canvas from now on; graphs write nothing but their axes. */
export function listenToCanvases(): void {
  const draw = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function fillText(text, ...rest) {
    const known = TEXTS.get(this.canvas) ?? new Set();
    known.add(text);
    TEXTS.set(this.canvas, known);
    draw.call(this, text, ...rest);
  };
}

export function axisLabelsOf(panel: Element): readonly string[] {
  return [...panel.querySelectorAll('canvas')].flatMap((canvas) => [...(TEXTS.get(canvas) ?? [])]);
}

/** Rounding of the layout. */
const TOLERANCE = 2;

/**
 * Texts that reach beyond what shows them: an element that cuts or scrolls, or the panel. A table
 * may have more rows than there is room for, never more columns.
 */
export function cutTextsOf(panel: Element): readonly CutText[] {
  const cut: CutText[] = [];
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.textContent?.trim() ?? '';
    const element = node.parentElement;
    if (text === '' || element === null || element.tagName === 'STYLE') continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    // Only for those who have it read to them.
    if (box.width < 2 || box.height < 2) continue;
    const part = partOf(element);
    if (reachesOut(box, element, panel, part)) cut.push({ part, text });
  }
  return cut;
}

function reachesOut(
  box: DOMRect,
  element: Element,
  panel: Element,
  part: CutText['part'],
): boolean {
  const mayScrollDown = part === 'table';
  const isTile = part === 'tile';
  for (let outer: Element | null = element; outer !== null; outer = outer.parentElement) {
    const { overflowX, overflowY } = getComputedStyle(outer);
    const isPanel = outer === panel;
    const frame = outer.getBoundingClientRect();
    const isRoom = isPanel || (isTile && isSized(outer));
    const wide = box.left < frame.left - TOLERANCE || box.right > frame.right + TOLERANCE;
    const high = box.top < frame.top - TOLERANCE || box.bottom > frame.bottom + TOLERANCE;
    if (wide && (isRoom || overflowX !== 'visible')) return true;
    if (high && !mayScrollDown && (isPanel || overflowY !== 'visible')) return true;
    if (isPanel) return false;
  }
  return false;
}

function partOf(element: Element): CutText['part'] {
  if (element.closest('h2, h6') !== null) return 'title';
  if (element.closest('[role=grid], [role=table]') !== null) return 'table';
  if (element.closest('[data-testid*="VizLegend"], [class*="LegendItem"], table, ul') !== null) {
    return 'legend';
  }
  return element.closest('[data-tile]') === null ? 'other' : 'tile';
}

/** A tile's values lie side by side in boxes of a given width, and nothing hides what leaves its box. */
function isSized(element: Element): boolean {
  return element instanceof HTMLElement && element.style.width.endsWith('px');
}
