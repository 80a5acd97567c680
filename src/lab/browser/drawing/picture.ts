import { byId } from "../dom/element.ts";
import { kit } from "../dom/kit.ts";
import type { Lab } from "../state/lab.ts";

/** A colour of the page as red, green, blue. */
function rgb(name: string): readonly [number, number, number] {
  const hex = kit().color(name).replace("#", "");
  const [r, g, b] = [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return [r, g, b];
}

/** Draws the network's answers over the plane and the examples on it; hides the panel where data are no points. */
export function drawPicture({ planar, picture, embed }: Lab): void {
  const panel = byId("picture");
  panel.hidden = planar === undefined || (embed !== undefined && embed !== "picture");
  if (!planar || !picture || panel.hidden) return;
  const canvas = panel.querySelector("canvas") as HTMLCanvasElement;
  const context = canvas.getContext("2d");
  if (!context) return;
  const { side, outputs, width } = picture;
  const paper = rgb("--paper");
  const colors = Array.from({ length: Math.max(2, width) }, (_, k) => rgb(`--run-${k % 8}`));
  const image = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) {
    const [klass, sure] = answer(outputs.subarray(i * width, (i + 1) * width));
    // The picture's first line is the top of the plane.
    const at = 4 * ((side - 1 - Math.floor(i / side)) * side + (i % side));
    for (let c = 0; c < 3; c++)
      image.data[at + c] = paper[c] + (colors[klass][c] - paper[c]) * (0.1 + 0.5 * sure);
    image.data[at + 3] = 255;
  }
  const small = document.createElement("canvas");
  small.width = side;
  small.height = side;
  small.getContext("2d")?.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  const [left, right, bottom, top] = planar.extent;
  context.lineWidth = 1.5;
  context.strokeStyle = kit().color("--paper");
  for (let e = 0; e < planar.points.length / 2; e++) {
    const x = ((planar.points[2 * e] - left) / (right - left)) * canvas.width;
    const y = (1 - (planar.points[2 * e + 1] - bottom) / (top - bottom)) * canvas.height;
    const label = planar.labels[e];
    context.fillStyle = kit().color(`--run-${(width === 1 ? (label > 0 ? 1 : 0) : label) % 8}`);
    context.beginPath();
    context.arc(x, y, 5, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

/** The class that outputs mean, and how sure they are, 0 to 1. */
function answer(outputs: Float64Array): readonly [number, number] {
  if (outputs.length === 1) return [outputs[0] > 0 ? 1 : 0, Math.min(1, Math.abs(outputs[0]))];
  let best = 0;
  for (let k = 1; k < outputs.length; k++) if (outputs[k] > outputs[best]) best = k;
  const rest = Math.max(...outputs.filter((_, k) => k !== best));
  return [best, Math.min(1, outputs[best] - rest)];
}
