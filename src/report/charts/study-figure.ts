import { escapeHtml, formatNumber } from "../format.ts";

/** One curve of a figure. */
export interface StudyCurve {
  readonly label: string;
  /** Increasing. */
  readonly x: readonly number[];
  /** As many; NaN is a gap. */
  readonly y: readonly number[];
}

/** Curves over something that is no step of a run. Plain data, which JSON can hold. */
export interface StudyFigure {
  /** Letters, digits and hyphens; unique within the study. */
  readonly id: string;
  readonly title: string;
  /** What should be seen in it, in a sentence or two. */
  readonly caption: string;
  /** What the horizontal axis shows. Figures of one study with the same words here zoom together. */
  readonly along: string;
  /** What the vertical axis shows. */
  readonly axis: string;
  /** Whether the vertical axis is logarithmic. Default false. */
  readonly log?: boolean;
  /** A horizontal line with a name. */
  readonly level?: { readonly value: number; readonly label: string };
  /** At most eight. */
  readonly curves: readonly StudyCurve[];
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 72;
const RIGHT = 16;
const TOP = 40;
const LINE = 18;

/** Colours and strokes of the curves, as the roles run-0 to run-7 have them on a page with light background. */
const COLORS = ["#0b5cad", "#d1462f", "#00856a", "#a46a00", "#6d55c4", "#b0399b", "#2f7f95", "#5b6472"];
const DASHED_FROM = 4;

/** Coordinates of a picture: where a value lies, and which values have a line and a name. */
interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Round numbers, about five of them, within a range. */
function roundTicks(least: number, most: number): number[] {
  const raw = (most - least) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5].find((each) => each * power >= raw) ?? 10) * power;
  const first = Math.ceil(least / step);
  return Array.from({ length: Math.floor(most / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

/** Powers of ten within a range, every so many that there are at most seven. */
function decadeTicks(least: number, most: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(least) - 1e-9), Math.floor(Math.log10(most) + 1e-9)];
  const stride = Math.max(1, Math.ceil((last - first + 1) / 7));
  return Array.from(
    { length: Math.max(0, Math.floor((last - first) / stride) + 1) },
    (_, i) => 10 ** (first + i * stride),
  );
}

function scaleOf(values: readonly number[], from: number, to: number, log: boolean): Scale {
  const map = (value: number): number => (log ? Math.log10(value) : value);
  let [least, most] = [Math.min(...values), Math.max(...values)];
  if (least === most) [least, most] = log ? [least / 2, most * 2] : [least - 1, most + 1];
  // An end that misses a tick by less than a hundredth of the range is moved to it.
  const near = (value: number): number => {
    const step = (most - least) / 100;
    const tick = roundTicks(least - step, most + step).find((each) => Math.abs(each - value) < step);
    return tick ?? value;
  };
  if (!log) [least, most] = [near(least), near(most)];
  const at = (value: number): number =>
    from + ((map(value) - map(least)) / (map(most) - map(least))) * (to - from);
  const decades = log ? decadeTicks(least, most) : [];
  return { at, ticks: decades.length > 1 ? decades : roundTicks(least, most) };
}

/**
 * A figure as a picture that needs nothing else, for documents: its own white ground, no script, no style sheet.
 *
 * @returns SVG; values that the axes cannot show (no numbers; not above 0 on a logarithmic axis) are gaps
 */
export function figureSvg({ title, along, axis, log = false, level, curves }: StudyFigure): string {
  const visible = (x: number, y: number): boolean =>
    Number.isFinite(x) && Number.isFinite(y) && (!log || y > 0);
  const points = curves.flatMap(({ x, y }) =>
    x.flatMap((place, i) => (visible(place, y[i]) ? [[place, y[i]] as const] : [])),
  );
  if (points.length === 0) points.push([0, 1]);
  const bottom = HEIGHT - 46;
  const levels = level && visible(0, level.value) ? [level.value] : [];
  const across = scaleOf(
    points.map(([x]) => x),
    LEFT,
    WIDTH - RIGHT,
    false,
  );
  const up = scaleOf([...points.map(([, y]) => y), ...levels], bottom, TOP + 8, log);
  const text = (x: number, y: number, anchor: string, words: string, more = ""): string =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${more}>${escapeHtml(words)}</text>`;
  const lines = curves.map(({ x, y }, c) => {
    let pen = "M";
    const path = x.flatMap((place, i) => {
      if (!visible(place, y[i])) {
        pen = "M";
        return [];
      }
      const drawn = `${pen}${across.at(place).toFixed(1)} ${up.at(y[i]).toFixed(1)}`;
      pen = "L";
      return [drawn];
    });
    return `<path d="${path.join("")}" stroke="${COLORS[c % COLORS.length]}" stroke-width="2"${c >= DASHED_FROM ? ' stroke-dasharray="8 4"' : ""} fill="none"/>`;
  });
  const grid = up.ticks.map((tick) => `M${LEFT} ${up.at(tick).toFixed(1)}H${WIDTH - RIGHT}`);
  const names = curves.map(
    ({ label }, c) =>
      `<text x="${LEFT}" y="${HEIGHT + 8 + c * LINE}"><tspan fill="${COLORS[c % COLORS.length]}" font-weight="700">${c >= DASHED_FROM ? "┅" : "━"}</tspan> ${escapeHtml(label)}</text>`,
  );
  const height = HEIGHT + 8 + curves.length * LINE;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeHtml(title)}" font-family="system-ui, sans-serif" font-size="12" fill="#5b6472">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${text(LEFT, 20, "start", title, ' font-size="15" font-weight="600" fill="#16191f"')}
<path d="${grid.join("")}" stroke="#eceef2"/>
<path d="M${LEFT} ${TOP}V${bottom}H${WIDTH - RIGHT}" stroke="#d5d9e0" fill="none"/>
${up.ticks.map((tick) => text(LEFT - 8, up.at(tick) + 4, "end", tickWords(tick))).join("")}
${across.ticks.map((tick) => text(across.at(tick), bottom + 18, "middle", tickWords(tick))).join("")}
${text((LEFT + WIDTH - RIGHT) / 2, bottom + 36, "middle", along)}
${text(LEFT, TOP - 4, "start", axis)}
${levels.map((value) => `<path d="M${LEFT} ${up.at(value).toFixed(1)}H${WIDTH - RIGHT}" stroke="#8a6100" stroke-dasharray="4 4"/>${text(WIDTH - RIGHT, up.at(value) - 5, "end", level?.label ?? "", ' fill="#8a6100"')}`).join("")}
${lines.join("\n")}
${names.join("\n")}
</svg>
`;
}

/** A tick's number: sums of roundings do not show. */
function tickWords(tick: number): string {
  const size = Math.abs(tick);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return formatNumber(tick).replace(/\.?0+e/, "e");
  return String(Number(tick.toPrecision(6))).replace("-", "−");
}
