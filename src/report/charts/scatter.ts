import { escapeHtml, formatNumber, plainNumber } from "../format.ts";

/** A value of one run against a setting. */
export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  /** Its colour, a role of the report such as `central`. */
  readonly role: string;
  /** What is shown for it under the pointer. */
  readonly name: string;
  /** The run ended early: drawn as a cross, and at the upper edge where it has no value. */
  readonly diverged: boolean;
}

/** A figure of values against a setting, drawn once and without a script. */
export interface Scatter {
  readonly title: string;
  readonly horizontal: string;
  readonly points: readonly ScatterPoint[];
  readonly labels: readonly (readonly [role: string, label: string])[];
}

const WIDTH = 520;
const HEIGHT = 300;
const LEFT = 64;
const BOTTOM = 44;
const TOP = 14;
const RIGHT = 14;

/** Values over this ratio or more are drawn on a logarithmic axis. */
const LOGARITHMIC_FROM = 8;

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function scaleOf(values: readonly number[], from: number, to: number): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const logarithmic = least > 0 && most / least >= LOGARITHMIC_FROM;
  const map = (value: number): number => (logarithmic ? Math.log10(value) : value);
  const [a, b] = [map(least), map(most)];
  const at = (value: number): number =>
    b === a ? (from + to) / 2 : from + ((map(value) - a) / (b - a)) * (to - from);
  const distinct = [...new Set(values)].sort((x, y) => x - y);
  if (distinct.length <= 6) return { at, ticks: distinct };
  const back = (value: number): number => (logarithmic ? 10 ** value : value);
  return { at, ticks: Array.from({ length: 5 }, (_, i) => back(a + ((b - a) * i) / 4)) };
}

/** A scatter as HTML; nothing where no run has a value. */
export function scatterHtml({ title, horizontal, points, labels }: Scatter): string {
  const valued = points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  if (valued.length === 0) return "";
  const placed = points.filter(
    ({ x, y, diverged }) => Number.isFinite(x) && (Number.isFinite(y) || diverged),
  );
  const across = scaleOf(
    placed.map(({ x }) => x),
    LEFT + 12,
    WIDTH - RIGHT - 12,
  );
  const up = scaleOf(
    valued.map(({ y }) => y),
    HEIGHT - BOTTOM - 10,
    TOP + 16,
  );
  const marks = placed.map(({ x, y, role, name, diverged }) => {
    const [px, py] = [across.at(x).toFixed(1), (Number.isFinite(y) ? up.at(y) : TOP + 4).toFixed(1)];
    const told = `<title>${escapeHtml(`${name}: ${Number.isFinite(y) ? formatNumber(y) : "no value"}${diverged ? ", ended early" : ""}`)}</title>`;
    const colour = `var(--${role})`;
    return diverged
      ? `<path d="M${px} ${py}m-5-5l10 10m0-10l-10 10" stroke="${colour}" stroke-width="2">${told}</path>`
      : `<circle cx="${px}" cy="${py}" r="4" fill="${colour}" fill-opacity="0.75">${told}</circle>`;
  });
  const text = (x: number, y: number, anchor: string, words: string): string =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="12" fill="var(--muted)">${escapeHtml(words)}</text>`;
  const ticks = [
    ...across.ticks.map((tick) =>
      text(across.at(tick), HEIGHT - BOTTOM + 18, "middle", plainNumber(Number(tick.toPrecision(4)))),
    ),
    ...up.ticks.map((tick) => text(LEFT - 8, up.at(tick) + 4, "end", formatNumber(tick))),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "middle", horizontal),
  ];
  const legend = labels
    .filter(([role]) => placed.some((point) => point.role === role))
    .map(([role, label]) => `<tspan fill="var(--${role})">●</tspan> ${escapeHtml(label)}`);
  const crossed = placed.some(({ diverged }) => diverged) ? ["× ended early"] : [];
  return `<figure class="scatter"><figcaption>${escapeHtml(title)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT + 22}" role="img" aria-label="${escapeHtml(title)}" fill="none">
<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" stroke="var(--rule)"/>
${ticks.join("")}${marks.join("\n")}
<text x="${LEFT}" y="${HEIGHT + 16}" font-size="12" fill="var(--muted)">${[...legend, ...crossed].join("   ")}</text></svg></figure>`;
}
