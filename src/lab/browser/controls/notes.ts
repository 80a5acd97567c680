import { byId, element } from "../dom/element.ts";
import type { Lab } from "../state/lab.ts";

let shown: Lab["notes"] | undefined;

/** Writes what there is to say, each with what may be done. */
export function showNotes(lab: Lab): void {
  if (lab.notes === shown) return;
  shown = lab.notes;
  byId("notes").replaceChildren(
    ...Array.from(lab.notes, ([id, { kind, text, actions = [] }]) =>
      element("div", { class: `note ${kind}`, "data-note": id }, [
        element("p", {}, [text]),
        ...actions.map(({ label, act }) =>
          element("button", { type: "button", class: "tool", onclick: act }, [label]),
        ),
        element(
          "button",
          { type: "button", class: "tool close", "aria-label": "dismiss", onclick: () => lab.forget(id) },
          ["✕"],
        ),
      ]),
    ),
  );
}
