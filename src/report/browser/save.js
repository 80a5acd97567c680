import { figureSvg, SAVED } from "./plots/figure.js";
import { inLight } from "./plots/theme.js";

/** Pixels of a saved picture for each of the figure's. */
const SHARPNESS = 2;

/**
 * Hands a file to the browser.
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/**
 * Saves a figure as a file: its numbers, or its picture as it is seen now, on paper white, with title, names and caption.
 * @param {string} kind `csv`, `png` or `svg`
 * @param {string} name without its ending
 * @param {() => string} csv
 * @param {() => import("./plots/figure.js").FigureSpec} figure called while the page's colours are light
 */
export function save(kind, name, csv, figure) {
  if (kind === "csv") return download(`${name}.csv`, new Blob([csv()], { type: "text/csv" }));
  const svg = inLight(() => figureSvg(figure(), SAVED));
  savePicture(kind, name, svg);
}

/**
 * Saves an SVG as it is, or as pixels.
 * @param {string} kind `png` or `svg`
 * @param {string} name without its ending
 * @param {string} svg
 */
export function savePicture(kind, name, svg) {
  if (kind === "svg") return download(`${name}.svg`, new Blob([svg], { type: "image/svg+xml" }));
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = SHARPNESS * image.width;
    canvas.height = SHARPNESS * image.height;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => blob && download(`${name}.png`, blob), "image/png");
  };
  image.src = `data:image/svg+xml;base64,${btoa(String.fromCharCode(...new TextEncoder().encode(svg)))}`;
}
