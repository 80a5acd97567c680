import type { StepRow } from "../../simulation/index.ts";
import { chartSource, lossChart, sharpnessChart } from "../charts/dynamics-charts.ts";
import { planeChart } from "../charts/plane-chart.ts";
import { runFacts } from "../facts.ts";
import { gallerySummary, galleryTable } from "./gallery-summary.ts";
import { type Panel, renderRuns } from "./runs-page.ts";

/** One run of a gallery. */
export interface GalleryRun {
  /** Unique; letters, digits and hyphens: it becomes part of HTML ids. */
  readonly name: string;
  /** A sentence on what to see, without a full stop. */
  readonly help: string;
  /** The configuration in the structure of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly rows: readonly StepRow[];
  readonly criticalValue: number;
  /** How the run ended. */
  readonly status: string;
  /** The address of its report, relative to the page. */
  readonly report: string;
}

/**
 * Renders runs as one HTML page: a table of them all, then the path, the loss and the sharpness of each.
 *
 * @param environment one line on the machine and engine
 * @returns the page; some 90 kB and 11 bytes per number drawn
 * @throws InputValueError for two runs of one name, or a name that is no HTML id
 */
export function renderGallery(runs: readonly GalleryRun[], environment: string): string {
  return renderRuns({
    name: "Gallery",
    kicker: "Central flow gallery",
    heading: "Every network at the edge of stability",
    environment,
    lede: `A central flow should stay close to its optimizer where the stable flow leaves it, hold its
eigenvalues at the edge, and predict the loss that the bouncing optimizer has on average.`,
    table: galleryTable(
      runs.map(({ name, rows, criticalValue }) => ({ name, summary: gallerySummary(rows, criticalValue) })),
    ),
    note: `At the edge: the steps in which the flow’s largest effective eigenvalue, its sharpness, is within a hundredth of the
edge or beyond, and how many eigenvalues are there at most. Sharpness: in the last step. Farther: the share of these steps in which the
central flow is farther from the optimizer than the stable flow is. Distance ratio: the central flow’s distance from the
midpoints of the optimizer’s path over the stable flow’s, the median of these steps; from the optimizer itself where there are no midpoints. Losses: what the central flow
predicts for the optimizer’s average, and that average, both over the last quarter of the steps, at most 151. Seconds: of
all processes together.`,
    sections: [{ panels: runs.map(panelOf) }],
  });
}

function panelOf({ name, help, config, rows, criticalValue, status, report }: GalleryRun): Panel {
  const source = chartSource(rows, criticalValue);
  return {
    id: name,
    title: name,
    note: `${help}; ${status}`,
    report,
    facts: runFacts(config),
    axes: source.axes,
    charts: [...planeChart(source), ...lossChart(source), ...sharpnessChart(source)],
  };
}
