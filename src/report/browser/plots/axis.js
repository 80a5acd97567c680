/**
 * How much of the frame runaway curves may claim, as a multiple of what the others need.
 */
const STRAY_ROOM = 1.6;

/**
 * The smallest and largest value of some lines between two rows; infinite bounds if there is none.
 * @param {{ values: Float64Array }[]} lines
 * @param {number} first
 * @param {number} last
 * @param {boolean} log only positive values count
 * @returns {[number, number]}
 */
function extent(lines, first, last, log) {
  let low = Infinity;
  let high = -Infinity;
  for (const { values } of lines) {
    for (let i = first; i <= last; i++) {
      const x = values[i];
      if (!Number.isFinite(x) || (log && x <= 0)) continue;
      if (x < low) low = x;
      if (x > high) high = x;
    }
  }
  return [low, high];
}

/**
 * The vertical range that shows what is visible: all of the steady groups, and of the strays what fits beside
 * them. A level is kept in sight. A linear axis starts at 0 when that costs little; of a logarithmic axis the
 * bounds are exponents of ten.
 * @param {{ groups: { strays: boolean, lines: { values: Float64Array }[] }[], level?: { value: number } }} chart
 * @param {boolean[]} shown per group
 * @param {number} first
 * @param {number} last
 * @param {boolean} log
 * @returns {[number, number]}
 */
export function verticalRange(chart, shown, first, last, log) {
  const visible = chart.groups.filter((_, g) => shown[g]);
  const linesOf = (/** @type {boolean} */ strays) =>
    visible.filter((group) => group.strays === strays).flatMap((group) => group.lines);
  let [low, high] = extent(linesOf(false), first, last, log);
  const [strayLow, strayHigh] = extent(linesOf(true), first, last, log);
  const steady = low <= high;
  if (steady && chart.level) high = Math.max(high, chart.level.value);
  if (!steady) {
    low = strayLow;
    high = strayHigh;
  } else if (log) {
    const room = Math.max(high / low, 2) ** (STRAY_ROOM - 1);
    low = Math.min(low, Math.max(strayLow, low / room));
    high = Math.max(high, Math.min(strayHigh, high * room));
  } else {
    low = Math.min(low, Math.max(strayLow, low - (STRAY_ROOM - 1) * Math.abs(high)));
    high = Math.max(high, Math.min(strayHigh, STRAY_ROOM * high));
  }
  if (chart.level) {
    low = Math.min(low, chart.level.value);
    high = Math.max(high, chart.level.value);
  }
  if (!(low <= high)) return log ? [-1, 0] : [0, 1];
  return log ? [Math.log10(low) - 0.1, Math.log10(high) + 0.1] : padded(low, high);
}

/** Leading digits of logarithmic ticks, from dense to sparse. */
const DIGITS = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]];

/**
 * Where a logarithmic axis has ticks, as exponents of ten: the densest pattern of leading digits that fits, else
 * every second, fifth, tenth … power. The plot library's own loops endlessly below 1e-16, so the axis it sees is
 * linear in the exponent.
 * @param {number} low exponent
 * @param {number} high exponent
 * @param {number} most ticks
 */
export function logTicks(low, high, most) {
  for (const digits of DIGITS) {
    const ticks = powers(low, high, 1).flatMap((power) => digits.map((digit) => power + Math.log10(digit)));
    const inside = ticks.filter((tick) => tick >= low && tick <= high);
    if (inside.length <= most) return inside;
  }
  const stride = [2, 5, 10, 20, 50, 100].find((n) => (high - low) / n <= most) ?? 200;
  return powers(low, high, stride).filter((tick) => tick >= low && tick <= high);
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} stride
 */
function powers(low, high, stride) {
  const first = Math.floor(low / stride);
  return Array.from({ length: Math.floor(high / stride) - first + 1 }, (_, i) => (first + i) * stride);
}

/**
 * Round places of a linear axis: multiples of 1, 2 or 5 times a power of ten.
 * @param {number} low
 * @param {number} high
 * @param {number} most ticks
 * @returns {number[]}
 */
export function linearTicks(low, high, most) {
  const raw = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const stride = ([1, 2, 5, 10].find((digit) => digit * power >= raw) ?? 10) * power;
  const first = Math.ceil(low / stride - 1e-9);
  const count = Math.floor(high / stride + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * stride).toPrecision(12)));
}

/**
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
export function padded(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const fromZero = low >= 0 && low < 0.5 * high;
  return [fromZero ? 0 : low - 0.06 * span, high + 0.06 * span];
}
