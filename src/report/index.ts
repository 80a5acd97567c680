export { type AnyChart, type Chart, chart, type Group, group, type Role } from "./charts/chart.ts";
export { chartSection } from "./charts/chart-section.ts";
export {
  type Axis,
  type ChartSource,
  chartSource,
  edgeLabel,
  lossChart,
  sharpnessChart,
  variancesChart,
} from "./charts/dynamics-charts.ts";
export { gradientChart } from "./charts/other-charts.ts";
export { planeChart } from "./charts/plane-chart.ts";
export { figureSvg, type StudyCurve, type StudyFigure } from "./charts/study-figure.ts";
export { type EdgeSummary, edgeSummary } from "./edge.ts";
export { formatNumber } from "./format.ts";
export {
  type ClaimExperiment,
  type ClaimNumber,
  type ClaimResult,
  claimsText,
  renderClaims,
} from "./pages/claims-page.ts";
export { type CompareBy, type ComparedRun, type Comparison, compareRuns } from "./pages/compare.ts";
export { type GalleryRun, renderGallery } from "./pages/gallery.ts";
export { type GallerySummary, gallerySummary, galleryTable } from "./pages/gallery-summary.ts";
export { renderReport } from "./pages/html-page.ts";
export type { PageKit, PageOptions } from "./pages/page-frame.ts";
export { type ReportInput, reportPage } from "./pages/report-page.ts";
export { type Panel, type RunsPage, renderRuns } from "./pages/runs-page.ts";
export {
  type AnalysedPoint,
  type Analysis,
  eigenvalueTable,
  renderSpectra,
  spectrumTable,
} from "./pages/spectrum-page.ts";
export {
  renderStudies,
  type StudyNumber,
  type StudyResult,
  studiesText,
} from "./pages/studies-page.ts";
export { renderSweep, type SweepPage, type SweepRun, sweepTable } from "./pages/sweep-page.ts";
export { type Table, tableText } from "./pages/table.ts";
export { labelOf, processesIn } from "./processes.ts";
export { type Column, RowColumns } from "./row-columns.ts";
export { columnOf, columnsOf, type Rows, squareOf, sumOf } from "./series.ts";
export type { DistanceSummary, ProcessSummary, Summary } from "./summary.ts";
export { headline, summaryTable, summaryText } from "./summary.ts";
