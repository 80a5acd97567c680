import type { View } from "../../link/link.ts";
import { element } from "../dom/element.ts";
import type { Lab } from "../state/lab.ts";

/** Choices between two views of one panel, by its id. */
const CHOICES: Readonly<
  Record<string, readonly { readonly view: Partial<View>; readonly words: string; readonly title: string }[]>
> = {
  sharpness: [
    { view: { sharpness: "raw" }, words: "raw", title: "eigenvalues of the Hessian H; the edge is c/η" },
    {
      view: { sharpness: "effective" },
      words: "effective",
      title: "eigenvalues of P⁻¹H, as the optimizer feels them; the edge is c",
    },
  ],
  plane: [
    { view: { path: "plane" }, words: "plane", title: "the paths from above" },
    { view: { path: "band" }, words: "band", title: "across the valley, with the predicted width" },
  ],
};

/** Adds to the frame of a chart what the lab has more than a report. */
export function decorate(lab: Lab, section: HTMLElement, id: string): void {
  const tools = section.querySelector(".tools");
  const choices = CHOICES[id] ?? [];
  if (choices.length > 0)
    tools?.prepend(
      element(
        "span",
        { class: "choice", role: "group", "aria-label": "View" },
        choices.map(({ view, words, title }) => {
          const [[key, value]] = Object.entries(view) as [keyof View, string][];
          const pressed = String(lab.view[key] === value);
          return element(
            "button",
            {
              type: "button",
              class: "tool",
              title,
              "aria-pressed": pressed,
              "data-view": value,
              onclick: () => lab.setView(view),
            },
            [words],
          );
        }),
      ),
    );
  if (id === "loss")
    section.querySelector('[data-tool="log"]')?.addEventListener("click", ({ currentTarget }) => {
      const pressed = (currentTarget as HTMLElement).getAttribute("aria-pressed") === "true";
      // The button has not been told yet: the section hears the click after it.
      lab.setView({ loss: pressed ? "linear" : "log" });
    });
}
