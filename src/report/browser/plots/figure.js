import { linearTicks, logTicks } from "./axis.js";
import { tickText } from "./format.js";
import { roleColor, strokeOf } from "./strokes.js";
import { color } from "./theme.js";

/**
 * A line of a figure, in the figure's own numbers; gaps are NaN.
 * @typedef {{ role: string, main: boolean, x: ArrayLike<number>, y: ArrayLike<number> }} Curve
 * What a figure shows. On a logarithmic axis, numbers are exponents of ten.
 * @typedef {object} FigureSpec
 * @property {string} title
 * @property {string} caption one line under the figure, in files only
 * @property {[string, string]} labels of the horizontal and the vertical axis
 * @property {[number, number]} across
 * @property {[number, number]} up
 * @property {boolean} log whether the vertical axis is logarithmic
 * @property {Curve[]} curves in the order in which they are drawn
 * @property {{ label: string, role: string }[]} names
 * @property {{ value: number, label: string }} [level]
 * @property {{ role: string, x: number, y: number }[]} [marks]
 * How large it is, and whether title, names and caption are drawn with it.
 * @typedef {{ width: number, height: number, alone: boolean }} FigureSize
 */

/** The size of a saved figure. */
export const SAVED = { width: 960, height: 560, alone: true };

const SIZE = 13;
/** The width of a character of text, roughly. */
const CHARACTER = 0.56 * SIZE;

/**
 * Draws a figure as SVG: presentation attributes only, so that a page's policy need not allow inline styles.
 * @param {FigureSpec} figure
 * @param {FigureSize} size
 * @returns {string}
 */
export function figureSvg(figure, { width, height, alone }) {
  const { labels, across, up, log, curves, names, level, marks = [], title, caption } = figure;
  const vertical = log ? logTicks(up[0], up[1], 8) : linearTicks(up[0], up[1], 7);
  const words = vertical.map((tick) => tickText(log ? 10 ** tick : tick));
  const keys = alone ? keyRows(names, width - 48) : [];
  const captions = alone ? wrapped(caption, Math.floor((width - 48) / CHARACTER)) : [];
  const left = 44 + CHARACTER * Math.max(2, ...words.map((text) => [...text].length)) + (alone ? 16 : 0);
  const right = width - (alone ? 24 : 14);
  const top = alone ? 52 + 20 * keys.length : 10;
  const bottom = height - 44 - (alone ? 18 * captions.length + 8 : 0);
  const horizontal = linearTicks(across[0], across[1], Math.max(3, Math.floor((right - left) / 90)));
  const place = {
    x: (/** @type {number} */ x) => left + ((x - across[0]) / (across[1] - across[0])) * (right - left),
    y: (/** @type {number} */ y) => bottom - ((y - up[0]) / (up[1] - up[0])) * (bottom - top),
  };
  clips += 1;
  const frame = `clip-${clips}`;
  const parts = [
    ...(alone ? [`<rect width="${width}" height="${height}" fill="${color("--paper")}"/>`] : []),
    ...horizontal.map((tick) => rule(place.x(tick), top, place.x(tick), bottom, color("--grid"))),
    ...vertical.map((tick) => rule(left, place.y(tick), right, place.y(tick), color("--grid"))),
    ...horizontal.map((tick) => text(place.x(tick), bottom + 18, tickText(tick), { anchor: "middle" })),
    ...vertical.map((tick, i) => text(left - 8, place.y(tick) + 4, words[i], { anchor: "end" })),
    text((left + right) / 2, bottom + 37, labels[0], { anchor: "middle" }),
    `<g transform="translate(${alone ? 34 : 14} ${round((top + bottom) / 2)}) rotate(-90)">${text(0, 0, labels[1], { anchor: "middle" })}</g>`,
    `<clipPath id="${frame}"><rect x="${round(left)}" y="${round(top)}" width="${round(right - left)}" height="${round(bottom - top)}"/></clipPath>`,
    `<g clip-path="url(#${frame})">`,
    ...curves.map((curve) => curveSvg(curve, place)),
    ...marks.map(
      ({ role, x, y }) =>
        `<circle cx="${round(place.x(x))}" cy="${round(place.y(y))}" r="4.5" fill="${color("--paper")}" stroke="${roleColor(role)}" stroke-width="2"/>`,
    ),
    "</g>",
    rule(left, bottom, right, bottom, color("--rule")),
    rule(left, top, left, bottom, color("--rule")),
    ...(level ? levelSvg(level, log, place, [left, right], [top, bottom]) : []),
  ];
  if (alone) {
    parts.push(text(24, 32, title, { size: 17, weight: 650, fill: color("--ink") }));
    keys.forEach((row, r) => {
      for (const { at, name } of row) parts.push(keySvg(at + 24, 54 + 20 * r, name));
    });
    captions.forEach((line, i) => {
      parts.push(text(24, height - 18 * (captions.length - i) + 4, line, {}));
    });
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escaped(color("--font"))}" font-size="${SIZE}">${parts.join("")}</svg>`;
}

/** Every figure of a page has a frame of its own to be cut to. */
let clips = 0;

const round = (/** @type {number} */ x) => Number(x.toFixed(2));

/** @param {string} words */
function escaped(words) {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {string} stroke
 */
function rule(x1, y1, x2, y2, stroke) {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}"/>`;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} words
 * @param {{ anchor?: string, size?: number, weight?: number, fill?: string }} options
 */
function text(x, y, words, { anchor = "start", size = SIZE, weight = 400, fill = color("--muted") }) {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(words)}</text>`;
}

/**
 * @param {Curve} curve
 * @param {{ x: (x: number) => number, y: (y: number) => number }} place
 */
function curveSvg({ role, main, x, y }, place) {
  let path = "";
  let open = false;
  for (let i = 0; i < x.length; i++) {
    const drawn = Number.isFinite(x[i]) && Number.isFinite(y[i]);
    if (drawn) path += `${open ? "L" : "M"}${round(place.x(x[i]))} ${round(place.y(y[i]))}`;
    open = drawn;
  }
  const { width, dash } = strokeOf(role);
  return `<path d="${path}" fill="none" stroke="${roleColor(role)}" stroke-width="${main ? width : Math.max(1, 0.6 * width)}" stroke-linejoin="round"${dash ? ` stroke-dasharray="${dash.join(" ")}"` : ""}${main ? "" : ' stroke-opacity="0.55"'}/>`;
}

/**
 * @param {{ value: number, label: string }} level
 * @param {boolean} log
 * @param {{ y: (y: number) => number }} place
 * @param {[number, number]} across
 * @param {[number, number]} up
 */
function levelSvg({ value, label }, log, place, [left, right], [top, bottom]) {
  const y = place.y(log ? Math.log10(value) : value);
  if (!(y > top && y < bottom)) return [];
  return [
    `<line x1="${round(left)}" y1="${round(y)}" x2="${round(right)}" y2="${round(y)}" stroke="${color("--edge")}" stroke-width="1.25" stroke-dasharray="6 4"/>`,
    `<rect x="${round(right - 10 - CHARACTER * 1.08 * label.length)}" y="${round(y - 19)}" width="${round(CHARACTER * 1.08 * label.length + 8)}" height="17" fill="${color("--paper")}" fill-opacity="0.85"/>`,
    text(right - 6, y - 5, label, { anchor: "end", weight: 600, fill: color("--edge") }),
  ];
}

/**
 * Names in rows that fit a width.
 * @param {{ label: string, role: string }[]} names
 * @param {number} width
 */
function keyRows(names, width) {
  /** @type {{ at: number, name: { label: string, role: string } }[][]} */
  const rows = [[]];
  let at = 0;
  for (const name of names) {
    const length = 58 + CHARACTER * name.label.length;
    if (at > 0 && at + length > width) {
      rows.push([]);
      at = 0;
    }
    rows[rows.length - 1].push({ at, name });
    at += length;
  }
  return rows;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {{ label: string, role: string }} name
 */
function keySvg(x, y, { label, role }) {
  return `${curveSvg({ role, main: true, x: [x, x + 26], y: [y, y] }, { x: (v) => v, y: (v) => v })}${text(x + 34, y + 4, label, { fill: color("--ink") })}`;
}

/**
 * @param {string} words
 * @param {number} length
 */
function wrapped(words, length) {
  /** @type {string[]} */
  const lines = [];
  let line = "";
  for (const word of words.trim().split(/\s+/)) {
    if (line !== "" && line.length + word.length + 1 > length) {
      lines.push(line);
      line = "";
    }
    line += `${line === "" ? "" : " "}${word}`;
  }
  return [...lines, line];
}
