export { type Chart, chart, group } from "./chart.ts";
export {
  type ClaimExperiment,
  type ClaimNumber,
  type ClaimResult,
  claimsText,
  renderClaims,
} from "./claims-page.ts";
export { chartSource, lossChart, sharpnessChart, variancesChart } from "./dynamics-charts.ts";
export { formatNumber } from "./format.ts";
export { type GalleryRun, renderGallery } from "./gallery.ts";
export { type GallerySummary, gallerySummary, galleryText } from "./gallery-summary.ts";
export { gradientChart } from "./other-charts.ts";
export type { ReportInput } from "./render.ts";
export { renderReport } from "./render.ts";
export { columnOf, columnsOf, squareOf, sumOf } from "./series.ts";
export type { DistanceSummary, ProcessSummary, Summary } from "./summary.ts";
export { summaryTable, summaryText } from "./summary.ts";
