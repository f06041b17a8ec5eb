import { styleElement } from './html.ts';

/**
 * The look of the page. Risk runs from teal over amber and orange to a dark magenta: apart in hue
 * and in lightness, so that it holds for colour-blind readers, and it is always written out as well.
 * The palette's contrast is tested (WCAG 2.2 AA).
 */
export const STYLE = styleElement`
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --edge: #dfe3ea; --ink: #18212e; --soft: #525e70;
  --link: #1a56a8; --track: #e9ecf1; --promised: #3f6fb5; --capacity: #44546a; --used: #2a7f86;
  --claim: #7b5ea7; --supply: #6d7b90;
  --level-0: #1d6f6a; --level-1: #946200; --level-2: #9a2b0a; --level-3: #85104f;
  --tint-0: #e3f2f0; --tint-1: #fbf0d9; --tint-2: #fde8dd; --tint-3: #fbe2ec; --tint-none: #eceff3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151c; --card: #191f29; --edge: #2c3544; --ink: #e8ecf2; --soft: #a5b0c0;
    --link: #8ab8f5; --track: #2a3240; --promised: #6f9fe0; --capacity: #a9b6c8; --used: #4fb3b8;
    --claim: #b096d8; --supply: #8e9bae;
    --level-0: #6fd0c5; --level-1: #f0c05a; --level-2: #ff9a6b; --level-3: #ff8db8;
    --tint-0: #16302f; --tint-1: #33290f; --tint-2: #3a2217; --tint-3: #3b1828; --tint-none: #252c38;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.5 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere;
}
.wide { max-width: 78rem; margin: 0 auto; padding: 0 1.25rem; }
h1, h2, h3, p, ul, ol, figure { margin: 0; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.02em; font-weight: 700; }
h2 { font-size: 1.2rem; line-height: 1.3; letter-spacing: -0.01em; font-weight: 650; }
h3 { font-size: 0.82rem; line-height: 1.4; font-weight: 600; color: var(--soft); margin-top: 1.1rem; }
a { color: var(--link); text-underline-offset: 0.15em; }
code { font: 0.92em ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; }
strong { font-weight: 680; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
h2:focus { outline-offset: 4px; }
.unseen {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
.skip { position: absolute; left: 1rem; top: -4rem; padding: 0.5rem 1rem; background: var(--card); z-index: 1; }
.skip:focus { top: 0.5rem; }

.bar-top { background: var(--card); border-bottom: 1px solid var(--edge); }
.bar-top .wide { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; align-items: center; padding-top: 0.6rem; padding-bottom: 0.6rem; }
.product { font-weight: 650; margin-right: auto; }
.bar-top nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; list-style: none; padding: 0; }
.refresh { display: flex; flex-wrap: wrap; gap: 0.25rem 0.8rem; align-items: center; font-size: 0.85rem; color: var(--soft); }
button, input, select {
  font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--soft);
  border-radius: 6px; padding: 0.15rem 0.6rem; cursor: pointer; min-height: 24px;
}
button[hidden] { display: none; }
.demo { background: #18212e; color: #ffffff; text-align: center; padding: 0.45rem 1.25rem; }
@media (prefers-color-scheme: dark) { .demo { background: #e8ecf2; color: #11151c; } }

main.wide { padding-top: 1.75rem; padding-bottom: 2rem; transition: opacity 0.2s; }
main.stale { opacity: 0.72; }
.host p { color: var(--soft); }
.host .summary { color: var(--ink); font-size: 1.15rem; margin-top: 0.6rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0 1.1rem; list-style: none; padding: 0; margin-top: 0.35rem; color: var(--soft); font-size: 0.92rem; }

.glance { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 1rem; list-style: none; padding: 0; margin-top: 1.4rem; }
.glance a {
  display: flex; flex-direction: column; gap: 0.35rem; height: 100%; padding: 0.9rem 1.1rem;
  background: var(--card); border: 1px solid var(--edge); border-radius: 12px;
  color: inherit; text-decoration: none;
}
.glance a:hover { border-color: var(--soft); }
.glance .title { font-size: 0.92rem; color: var(--soft); font-weight: 550; }
.glance .promise { font-size: 1.55rem; line-height: 1.15; font-weight: 680; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.glance .of, .glance .claimed { font-size: 0.84rem; line-height: 1.4; color: var(--soft); }
.glance .claimed strong { display: block; color: var(--ink); }
.glance .badge { margin-top: auto; }

.badge, .mark { display: inline-flex; align-items: center; gap: 0.45rem; font-weight: 620; font-size: 0.88rem; white-space: nowrap; }
.badge { padding: 0.15rem 0.6rem 0.15rem 0.5rem; border-radius: 999px; align-self: flex-start; background: var(--tint-none); }
.badge.unknown { color: var(--soft); }
.level-0 { color: var(--level-0); } .level-1 { color: var(--level-1); }
.level-2 { color: var(--level-2); } .level-3 { color: var(--level-3); }
.badge.level-0 { background: var(--tint-0); } .badge.level-1 { background: var(--tint-1); }
.badge.level-2 { background: var(--tint-2); } .badge.level-3 { background: var(--tint-3); }
.steps { flex: none; } .step { fill: currentColor; opacity: 0.22; } .step.on { opacity: 1; }

.panel { background: var(--card); border: 1px solid var(--edge); border-left: 5px solid var(--level-3); border-radius: 12px; padding: 1rem 1.25rem; margin-top: 1.25rem; }
.panel.fault { border-left-color: var(--level-2); } .panel.fault li { display: block; }
.panel ul { list-style: none; padding: 0; margin-top: 0.5rem; display: grid; gap: 0.45rem; }
.panel .detail { display: block; color: var(--soft); font-size: 0.92rem; }

.cards { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.25rem; margin-top: 1.25rem; }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 1.2rem 1.35rem 1.3rem; min-width: 0; }
.card header { display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; justify-content: space-between; align-items: center; }
.lead .mark { padding-top: 0.25rem; }
.lead { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.6rem; align-items: start; margin-top: 0.7rem; font-size: 1.1rem; line-height: 1.4; }
.runbook { font-size: 0.88em; margin-left: 0.35rem; white-space: nowrap; }
.name, .runbook { overflow-wrap: anywhere; }
.history { margin-top: 0.4rem; color: var(--used); } .history.waiting { color: var(--level-2); }
.history svg { display: block; background: var(--track); border-radius: 3px; }
.history polyline { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.history .axis { stroke: var(--soft); stroke-width: 1; vector-effect: non-scaling-stroke; opacity: 0.5; }
.history figcaption { font-size: 0.84rem; color: var(--soft); }
.bank { margin-top: 0.55rem; min-height: 3em; }
.chart { margin-top: 0.9rem; display: grid; gap: 0.3rem; }
.chart figcaption { font-size: 0.88rem; color: var(--soft); }
.bar { display: grid; grid-template-columns: 7.4rem minmax(0, 1fr) 5.6rem; gap: 0.75rem; align-items: center; font-size: 0.88rem; line-height: 1.35; }
.bar.claim { margin-top: 0.45rem; }
.bar-value { text-align: right; font-variant-numeric: tabular-nums; font-weight: 600; }
.bar-track { display: block; overflow: hidden; border-radius: 3px; }
.track { fill: var(--track); }
.promised .fill { fill: var(--promised); } .capacity .fill { fill: var(--capacity); }
.used .fill { fill: var(--used); } .claim .fill { fill: var(--claim); } .supply .fill { fill: var(--supply); }
.promised .beyond { fill: var(--promised); opacity: 0.42; }
.claim .beyond { fill: var(--claim); opacity: 0.42; }
.reasons, .top { list-style: none; padding: 0; margin-top: 0.35rem; display: grid; gap: 0.35rem; }
.reasons li { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.6rem; align-items: start; font-size: 0.94rem; }
.reasons .mark, .panel .mark { padding-top: 0.2rem; }
.panel li { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.6rem; align-items: start; }
.top li { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; font-size: 0.94rem; border-bottom: 1px solid var(--edge); padding-bottom: 0.3rem; }
.top li:last-child { border-bottom: 0; padding-bottom: 0; }
.top li span { color: var(--soft); font-variant-numeric: tabular-nums; }
.name { font-weight: 580; }
.notes { margin-top: 1rem; padding-left: 1.1rem; color: var(--soft); font-size: 0.88rem; display: grid; gap: 0.2rem; }

.guests { margin-top: 2rem; }
.list-form { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: end; margin-top: 0.6rem; font-size: 0.88rem; color: var(--soft); }
.list-form label { display: grid; gap: 0.15rem; min-width: 0; }
.list-form input, .list-form select { min-width: 0; max-width: 100%; padding: 0.25rem 0.5rem; min-height: 2rem; }
.list-form button { min-height: 2rem; padding: 0.25rem 0.9rem; }
.list-form > a { padding: 0.3rem 0; }
details { margin-top: 0.6rem; font-size: 0.88rem; color: var(--soft); }
summary { cursor: pointer; padding: 0.15rem 0; width: fit-content; }
dl { display: grid; gap: 0.2rem; margin: 0.3rem 0; }
dl > div { display: flex; flex-wrap: wrap; gap: 0 0.6rem; }
dt { font-weight: 620; min-width: 8rem; color: var(--ink); } dd { margin: 0; }
.narrow { display: none; }
thead a { color: inherit; text-decoration-style: dotted; }
.guest-page { margin-top: 1rem; display: grid; gap: 1.25rem; }
.guest-page .card table { margin-top: 0.4rem; }
.scroll { overflow-x: auto; }
.guest-page dt { min-width: 16rem; } .guest-page .scroll td, .guest-page .scroll th { white-space: nowrap; }
.guest-page td code { display: inline-block; min-width: 16rem; white-space: normal; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: separate; border-spacing: 0; margin-top: 0.6rem; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; font-size: 0.9rem; overflow-wrap: normal; }
caption { text-align: left; color: var(--soft); font-size: 0.88rem; padding-bottom: 0.6rem; }
th, td { text-align: left; padding: 0.42rem 0.7rem; vertical-align: top; }
tbody th { font-weight: 580; overflow-wrap: anywhere; min-width: 9rem; }
.source { display: block; color: var(--soft); font-size: 0.82rem; font-weight: 400; }
thead th { font-size: 0.82rem; font-weight: 600; color: var(--soft); white-space: nowrap; }
tbody > tr > * { border-top: 1px solid var(--edge); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.trouble th a, .trouble td:nth-child(2) { color: var(--level-3); font-weight: 640; }
footer { color: var(--soft); font-size: 0.88rem; border-top: 1px solid var(--edge); }
.about { display: flex; flex-wrap: wrap; gap: 0 1.5rem; list-style: none; padding: 0; margin-top: 2rem; color: var(--soft); font-size: 0.88rem; }

@media (max-width: 60rem) {
  .glance { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .cards { grid-template-columns: minmax(0, 1fr); }
  .bank { min-height: 0; }
}
@media (max-width: 52rem) {
  .guests table, .guests tbody, .guests tbody th { display: block; }
  .guests thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .guests thead a { display: none; } .guests thead .narrow { display: inline; }
  .guests caption { display: block; }
  .guests table { border: 0; background: none; }
  .guests tbody { display: grid; gap: 0.75rem; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); }
  .guests tbody tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 1.2rem; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 0.6rem 0.9rem; }
  .guests tbody > tr > * { border-top: 0; padding: 0.1rem 0; }
  .guests tbody td { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 0.5rem; }
  .guests tbody th, .guests tbody td:nth-child(2) { grid-column: 1 / -1; }
  .guests tbody td::before { color: var(--soft); }
  .guests td:nth-child(2)::before { content: "State"; } .guests td:nth-child(3)::before { content: "vCPUs"; }
  .guests td:nth-child(4)::before { content: "CPU used"; } .guests td:nth-child(5)::before { content: "Waited"; }
  .guests td:nth-child(6)::before { content: "Memory"; } .guests td:nth-child(7)::before { content: "Can claim"; }
  .guests td:nth-child(8)::before { content: "Swapped"; } .guests td:nth-child(9)::before { content: "Can write"; }
  .guests td:nth-child(10)::before { content: "Network"; }
}
@media (max-width: 30rem) {
  .guest-page dl > div { justify-content: space-between; } .guest-page dt { min-width: 0; }
  .wide { padding-left: 0.9rem; padding-right: 0.9rem; }
  h1 { font-size: 1.5rem; }
  .glance { gap: 0.6rem; }
  .glance a { padding: 0.7rem 0.75rem; }
  .glance .promise { font-size: 1.25rem; }
  .badge { font-size: 0.8rem; padding-right: 0.5rem; }
  .card { padding: 1rem; }
  .bar { grid-template-columns: minmax(0, 1fr) auto; gap: 0.05rem 0.75rem; }
  .bar-track { grid-row: 2; grid-column: 1 / -1; }
}
@media (max-width: 23rem) { .guests tbody tr { grid-template-columns: minmax(0, 1fr); } }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; scroll-behavior: auto !important; } }
@media (forced-colors: active) {
  .track { fill: Canvas; stroke: CanvasText; } .bar .fill { fill: CanvasText; } .bar .beyond { fill: Highlight; opacity: 1; }
  .badge, .card, .panel { border: 1px solid CanvasText; }
}
@media print { .refresh, .skip { display: none; } .card { break-inside: avoid; } }
`;
