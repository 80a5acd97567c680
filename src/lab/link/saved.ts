import { kindError, valueError } from "../../base/index.ts";
import type { Quantity, StepRow } from "../../simulation/index.ts";

/** Rows as a file that the lab reads again. */
export interface SavedRun {
  /** The hash of the lab's address. */
  readonly link: string;
  readonly criticalValue: number;
  readonly rows: readonly StepRow[];
}

const FORM = "central-flows lab 1";

/** What JSON has no number for, as text. */
const written = (x: number): number | string =>
  Number.isFinite(x) && !Object.is(x, -0) ? x : Object.is(x, -0) ? "-0" : String(x);

/** A run as JSON: every number as it is, to the bit. */
export function saveRun({ link, criticalValue, rows }: SavedRun): string {
  return JSON.stringify({
    form: FORM,
    link,
    criticalValue,
    rows: rows.map(({ index, step, quantities }) => ({
      index,
      step,
      quantities: Object.fromEntries(
        Object.entries(quantities).map(([path, quantity]) => [
          path,
          typeof quantity === "number"
            ? written(quantity)
            : {
                shape: quantity.shape,
                data: Array.from(quantity.data, written),
                ...(quantity.integer && { integer: true }),
              },
        ]),
      ),
    })),
  });
}

/**
 * Reads what `saveRun` has written.
 *
 * @throws InputKindError or InputValueError for other files
 */
export function readRun(text: string): SavedRun {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw kindError("file", "a run that the lab has saved as JSON", "text that is no JSON");
  }
  const saved = json as {
    readonly form?: unknown;
    readonly link?: unknown;
    readonly criticalValue?: unknown;
    readonly rows?: unknown;
  };
  if (
    typeof json !== "object" ||
    json === null ||
    saved.form !== FORM ||
    typeof saved.link !== "string" ||
    !Array.isArray(saved.rows)
  )
    throw valueError("file", `one of the form "${FORM}"`, JSON.stringify(saved?.form) ?? "another");
  return {
    link: saved.link,
    criticalValue: Number(saved.criticalValue),
    rows: saved.rows.map(
      ({
        index,
        step,
        quantities,
      }: {
        index: number;
        step: number;
        quantities: Record<string, unknown>;
      }) => ({
        index,
        step,
        quantities: Object.fromEntries(
          Object.entries(quantities).map(([path, value]) => [path, quantityOf(value)]),
        ),
      }),
    ),
  };
}

function quantityOf(value: unknown): Quantity {
  if (typeof value !== "object" || value === null) return Number(value);
  const { shape, data, integer } = value as { shape: number[]; data: unknown[]; integer?: boolean };
  return { shape, data: Float64Array.from(data, Number), ...(integer && { integer }) };
}

/** The numbers of a run as CSV: one line a row, a column for each quantity that is one number. */
export function csvOf(rows: readonly StepRow[]): string {
  const paths = [...new Set(rows.flatMap(({ quantities }) => Object.keys(quantities)))].filter((path) =>
    rows.every(({ quantities }) => typeof (quantities[path] ?? 0) === "number"),
  );
  const lines = rows.map(({ step, quantities }) =>
    [step, ...paths.map((path) => quantities[path] ?? "")].join(","),
  );
  return `${[["step", ...paths].join(","), ...lines].join("\n")}\n`;
}
