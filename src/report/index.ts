export { type GalleryRun, renderGallery } from "./gallery.ts";
export { type GallerySummary, gallerySummary, galleryText } from "./gallery-summary.ts";
export type { ReportInput } from "./render.ts";
export { renderReport } from "./render.ts";
export type { DistanceSummary, ProcessSummary, Summary } from "./summary.ts";
export { summaryTable, summaryText } from "./summary.ts";
