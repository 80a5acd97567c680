import { beatNamed, TOUR } from "../../link/tour.ts";
import { byId, element } from "../dom/element.ts";
import type { Lab } from "../state/lab.ts";

/** The tour as a card above the controls: what to look at, a guess, and in the end what was seen. */
export function setUpTour(lab: Lab): void {
  const card = byId("tour");
  let shown: string | undefined;
  let guessed: number | undefined;

  const go = (at: number): void => {
    const beat = TOUR[at];
    guessed = undefined;
    shown = undefined;
    lab.open(
      `#${beat.link.replace("/", `&tour=${beat.name}/`)}${beat.link.includes("/") ? "" : `&tour=${beat.name}`}`,
    );
    card.scrollIntoView({ block: "nearest" });
  };
  const leave = (): void => {
    lab.tour = undefined;
    lab.setView({});
  };
  byId("tour-open").addEventListener("click", () => (lab.tour === undefined ? go(0) : leave()));

  lab.changed.watch(() => {
    const beat = lab.tour === undefined ? undefined : beatNamed(lab.tour);
    card.hidden = beat === undefined;
    const over = lab.phase === "over";
    const form = beat && `${beat.name} ${guessed} ${over}`;
    if (form === shown) return;
    shown = form;
    if (!beat) return;
    const at = TOUR.indexOf(beat);
    const { question, answers, right } = beat.guess;
    const told = over || guessed !== undefined;
    card.replaceChildren(
      element("div", { class: "bar" }, [
        element("h2", {}, [beat.title]),
        element("span", { class: "buttons" }, [
          element(
            "button",
            {
              type: "button",
              class: "tool",
              disabled: at === 0,
              "data-tour": "back",
              onclick: () => go(at - 1),
            },
            ["←"],
          ),
          element("span", { class: "howto" }, [`${at + 1} of ${TOUR.length}`]),
          element(
            "button",
            {
              type: "button",
              class: "tool",
              disabled: at === TOUR.length - 1,
              "data-tour": "on",
              onclick: () => go(at + 1),
            },
            ["Next →"],
          ),
          element(
            "button",
            { type: "button", class: "tool", "aria-label": "leave the tour", onclick: leave },
            ["✕"],
          ),
        ]),
      ]),
      element("p", {}, [beat.words]),
      element("div", { class: "guess", role: "group", "aria-label": question }, [
        element("strong", {}, [question]),
        ...answers.map((answer, i) =>
          element(
            "button",
            {
              type: "button",
              class: `tool${told && i === right ? " right" : ""}`,
              "aria-pressed": String(guessed === i),
              onclick: () => {
                guessed = i;
                lab.setView({});
              },
            },
            [answer],
          ),
        ),
      ]),
      ...(over
        ? [
            element("p", { class: "seen" }, [
              beat.seen.holds(lab.rows, lab.criticalValue) ? "✓ " : "Not seen in this run: ",
              beat.seen.words,
            ]),
          ]
        : []),
    );
  });
}
