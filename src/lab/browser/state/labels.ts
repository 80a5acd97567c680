import type { StepRow } from "../../../simulation/index.ts";
import { differenceOf, type Pairs } from "../../link/words.ts";

const NAMES: Readonly<Record<string, string>> = { "opt.lr": "η", "arch.width": "width", "opt.lr-at": "η at" };

/** What tells a run from the first, in few words: its optimizer and η where there is nothing else to say. */
export function shortLabel(first: Pairs, run: Pairs): string {
  const different = first.size > 0 ? [...differenceOf(first, run)] : [];
  const told = different.filter(([key]) => key !== "opt.schedule");
  const words = (told.length > 0 ? told : [...run].filter(([key]) => key === "opt" || key === "opt.lr")).map(
    ([key, value]) =>
      key === "opt" || key === "data" || key === "arch"
        ? value
        : `${NAMES[key] ?? key.replace(/^\w+\./, "")} ${value}`,
  );
  return words.slice(0, 3).join(", ") || "as the first";
}

/** Whether the top eigenvalue of the central flow, or else of the optimizer, is at the edge in a row. */
export function atEdge({ quantities }: StepRow, criticalValue: number): boolean {
  const found = quantities["central/effective_hessian_eigs"] ?? quantities["discrete/effective_hessian_eigs"];
  const top = found === undefined ? Number.NaN : typeof found === "number" ? found : found.data[0];
  return top > 0.975 * criticalValue;
}
