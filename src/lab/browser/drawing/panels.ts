import { type AnyChart, chartSection } from "../../../report/index.ts";
import { kit } from "../dom/kit.ts";
import type { DrawnCharts } from "./charts.ts";

type Data = Parameters<ReturnType<typeof kit>["showRun"]>[0];

/** The charts on the page: their frames are made again only where there are other charts or other curves. */
export class Panels {
  private readonly place: HTMLElement;
  private readonly decorate: (section: HTMLElement, id: string) => void;
  private form = "";
  private shown: ReturnType<ReturnType<typeof kit>["showRun"]> | undefined;

  /** @param decorate adds to a new frame what the lab has more than the report */
  constructor(place: HTMLElement, decorate: (section: HTMLElement, id: string) => void) {
    this.place = place;
    this.decorate = decorate;
  }

  /** Draws charts. @param follow whether the path in a plane is seen where it grows */
  draw({ axes, charts }: DrawnCharts, follow: boolean): void {
    const data = { axes, charts } as unknown as Data;
    const form = JSON.stringify(charts.map(formOf));
    if (form === this.form && this.shown) {
      this.shown.update(data, follow);
      return;
    }
    this.form = form;
    this.shown?.remove();
    this.place.innerHTML = charts.map((each) => chartSection(each, { explained: false })).join("\n");
    for (const { id } of charts) this.decorate(document.getElementById(id) as HTMLElement, id);
    this.shown = charts.length > 0 ? kit().showRun(data) : undefined;
    if (follow) this.shown?.update(data, true);
  }

  /** Draws again with the colours of now. */
  redraw(): void {
    this.shown?.redraw();
  }
}

/** What the frame of a chart depends on. */
function formOf(each: AnyChart): unknown {
  const { kind, id, title } = each;
  const names =
    each.kind === "plane"
      ? each.stretches[0]?.paths.map(({ label }) => label)
      : each.groups.map(({ label, role, lines }) => [label, role, Math.min(4, lines.length)]);
  return [kind, id, title, each.kind === "series" && each.log, names];
}
