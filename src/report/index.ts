export { type Chart, chart, group } from "./charts/chart.ts";
export { type ChartSource, lossChart, sharpnessChart, variancesChart } from "./charts/dynamics-charts.ts";
export { gradientChart } from "./charts/other-charts.ts";
export { formatNumber } from "./format.ts";
export {
  type ClaimExperiment,
  type ClaimNumber,
  type ClaimResult,
  claimsText,
  renderClaims,
} from "./pages/claims-page.ts";
export { type GalleryRun, renderGallery } from "./pages/gallery.ts";
export { type GallerySummary, gallerySummary, galleryText } from "./pages/gallery-summary.ts";
export type { ReportInput } from "./pages/render.ts";
export { renderReport } from "./pages/render.ts";
export { columnOf, columnsOf, squareOf, sumOf } from "./series.ts";
export type { DistanceSummary, ProcessSummary, Summary } from "./summary.ts";
export { summaryTable, summaryText } from "./summary.ts";
