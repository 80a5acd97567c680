const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * A value for the legend: four significant digits.
 * @param {number | undefined} x
 */
export function valueText(x) {
  if (x === undefined || Number.isNaN(x)) return "–";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e6) return tickText(x);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? x.toExponential(2) : x.toPrecision(4);
  return (text.includes("e+") ? String(Number(text)) : text).replace("-", "−");
}

/**
 * A tick label: plain where short, a power of ten where long.
 * @param {number} x
 */
export function tickText(x) {
  const size = Math.abs(x);
  if (size === 0 || (size >= 1e-3 && size < 1e5)) return String(Number(x.toPrecision(6))).replace("-", "−");
  const [digits, exponent] = x.toExponential(3).split("e");
  const power = [...exponent.replace("+", "")]
    .map((c) => (c === "-" ? "⁻" : SUPERSCRIPTS[Number(c)]))
    .join("");
  const factor = String(Number(digits)).replace("-", "−");
  return factor === "1" ? `10${power}` : `${factor}·10${power}`;
}
