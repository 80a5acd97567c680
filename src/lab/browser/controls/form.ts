import { isIgnored, type Kind, type Settings } from "../../../base/index.ts";
import {
  FAMILIES,
  IGNORED,
  type Option,
  optionsOf,
  PART_NAMES,
  type PartName,
  type RunConfig,
  selectionOf,
  wordsOf,
} from "../../../settings/index.ts";
import { type Pairs, withPair } from "../../link/words.ts";
import { byId, element, shortNumber } from "../dom/element.ts";
import type { Lab } from "../state/lab.ts";

/** What a page has no use for: folders, files, what only a terminal shows. */
const HIDDEN =
  /^(expid|out|quiet|json|profile|threads|init|memory|chunk|checkpoint\.|load\.|device)|\.cache-dir$/;
/** Whether data are files, which a page has none of. */
const NEEDS_FILES = (settings: Settings): boolean =>
  Object.entries(settings).some(
    ([key, setting]) => (key === "cacheDir" || key === "path") && !isIgnored(setting),
  );

const PART_WORDS: Readonly<Record<PartName, string>> = { opt: "Optimizer", data: "Data", arch: "Network" };

/** The value of an option in a configuration, as the words of its flag. */
function wordsIn(config: RunConfig, option: Option): string {
  let value: unknown = config;
  for (const key of option.path) value = (value as Record<string, unknown>)[key];
  return wordsOf(option, value).join(",");
}

/** Pairs with another part, made to fit: what it requires at its example, and a network that reads the data. */
export function withPart(pairs: Pairs, part: PartName, name: string): Pairs {
  let next = withPair(pairs, part, name);
  const reads = (arch: string): readonly string[] =>
    (FAMILIES.arch[arch] as { readonly reads?: readonly string[] } | undefined)?.reads ?? [];
  const gives = (data: string): string =>
    (FAMILIES.data[data] as { readonly gives?: string } | undefined)?.gives ?? "";
  const data = next.get("data") ?? "digits";
  const arch = next.get("arch") ?? "mlp";
  if (!reads(arch).includes(gives(data)))
    next =
      part === "arch"
        ? withPair(
            next,
            "data",
            Object.keys(FAMILIES.data).find(
              (each) => !NEEDS_FILES(FAMILIES.data[each].settings) && reads(arch).includes(gives(each)),
            ),
          )
        : withPair(
            next,
            "arch",
            Object.keys(FAMILIES.arch).find((each) => reads(each).includes(gives(data))),
          );
  for (const each of PART_NAMES) {
    const chosen = FAMILIES[each][next.get(each) ?? ""];
    for (const [key, setting] of Object.entries(chosen?.settings ?? {})) {
      const flag = `${each}.${key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;
      if (!("default" in setting) && !next.has(flag) && setting.example)
        next = withPair(next, flag, setting.example);
    }
  }
  return next;
}

/** The controls of a run, made from its settings: what they take, their names and their errors are the command line's. */
export class Form {
  private readonly lab: Lab;
  private shape = "";
  private readonly fields = new Map<
    string,
    { readonly option: Option; readonly input: HTMLInputElement | HTMLSelectElement }
  >();

  constructor(lab: Lab) {
    this.lab = lab;
    lab.changed.watch(() => this.show());
  }

  /** Makes the controls anew where the run has other parts, and writes its values into them. */
  private show(): void {
    const { config } = this.lab;
    if (!config) return;
    const shape = PART_NAMES.map((part) => config[part].name).join();
    if (shape !== this.shape) this.make(config, shape);
    for (const { option, input } of this.fields.values()) {
      if (document.activeElement === input && input.type !== "checkbox") continue;
      const words = wordsIn(config, option);
      if (input instanceof HTMLInputElement && input.type === "checkbox") input.checked = words === "true";
      else input.value = words;
    }
    const slider = byId<HTMLInputElement>("rate");
    const { rate } = this.lab;
    if (document.activeElement !== slider || !this.dragging) slider.value = String(Math.log10(rate));
    this.sayRate(rate);
  }

  private dragging = false;

  private sayRate(rate: number): void {
    const slider = byId<HTMLInputElement>("rate");
    const edge = this.lab.criticalValue / rate;
    const plain = this.lab.config?.opt.name === "gd";
    slider.setAttribute(
      "aria-valuetext",
      `${shortNumber(rate)}${plain ? `, edge at ${shortNumber(edge)}` : ""}`,
    );
    byId("rate-words").textContent = plain
      ? `${this.lab.criticalValue === 2 ? "2" : shortNumber(this.lab.criticalValue)}/η = ${shortNumber(edge)}`
      : "";
    const number = byId<HTMLInputElement>("rate-number");
    if (document.activeElement !== number) number.value = shortNumber(rate);
  }

  private make(config: RunConfig, shape: string): void {
    this.shape = shape;
    this.fields.clear();
    const options = optionsOf(selectionOf(config)).filter(
      ({ flag, setting }) => !HIDDEN.test(flag) && !setting.recorded && !IGNORED.has(flag),
    );
    const find = (flag: string) => options.filter((option) => option.flag === flag);
    byId("main-controls").replaceChildren(
      ...PART_NAMES.map((part) => this.partControl(part, config)),
      ...[...find("arch.width"), ...find("data.n")].map((option) => this.control(option)),
      ...[...find("steps"), ...find("seed")].map((option) => this.control(option)),
      element(
        "button",
        {
          type: "button",
          class: "tool",
          id: "dice",
          title: "another seed",
          "aria-label": "another seed",
          onclick: () => this.dice(),
        },
        ["⟳"],
      ),
      element("p", { id: "field-error", role: "alert" }),
    );
    byId("rate-place").replaceChildren(this.rateControl());
    const groups = new Map<string, Option[]>();
    for (const option of options) {
      if (["arch.width", "data.n", "steps", "seed", "opt.lr"].includes(option.flag)) continue;
      const group = option.flag.includes(".") ? option.flag.replace(/\..*$/, "") : "run";
      groups.set(group, [...(groups.get(group) ?? []), option]);
    }
    byId("all-settings").replaceChildren(
      ...Array.from(groups, ([name, members]) =>
        element("fieldset", {}, [
          element("legend", {}, [name]),
          ...members.map((option) => this.control(option)),
        ]),
      ),
    );
  }

  private partControl(part: PartName, config: RunConfig): HTMLElement {
    const names = Object.values(FAMILIES[part]).filter(({ settings }) => !NEEDS_FILES(settings));
    const select = element(
      "select",
      {
        id: `field-${part}`,
        onchange: () => this.complain(select, this.lab.setAll(withPart(this.lab.pairs, part, select.value))),
      },
      names.map(({ name, help }) =>
        element("option", { value: name, selected: config[part].name === name, title: help }, [name]),
      ),
    );
    return element("label", { class: "field" }, [element("span", {}, [PART_WORDS[part]]), select]);
  }

  private rateControl(): HTMLElement {
    const rateOf = (): number => Number((10 ** Number(slider.value)).toPrecision(3));
    let rest: ReturnType<typeof setTimeout> | undefined;
    const apply = (rate: number): void => {
      clearTimeout(rest);
      this.complain(number, this.lab.setRate(rate));
    };
    const slider = element("input", {
      type: "range",
      id: "rate",
      min: "-4",
      max: "2",
      step: "0.01",
      "aria-label": "learning rate η",
      oninput: () => {
        this.dragging = true;
        this.sayRate(rateOf());
        clearTimeout(rest);
        rest = setTimeout(() => apply(rateOf()), 180);
      },
      onchange: () => {
        this.dragging = false;
        apply(rateOf());
      },
    });
    const number = element("input", {
      type: "text",
      inputmode: "decimal",
      id: "rate-number",
      "aria-label": "learning rate η, as a number",
      onchange: () => apply(Number(number.value)),
    });
    return element("div", { class: "field rate" }, [
      element("label", { for: "rate" }, ["learning rate η"]),
      slider,
      number,
      element("output", { id: "rate-words" }),
    ]);
  }

  /** A native control for one option. */
  private control(option: Option): HTMLElement {
    const { flag, setting } = option;
    const id = `field-${flag}`;
    const change = (): void => {
      const checkbox = input instanceof HTMLInputElement && input.type === "checkbox";
      const words = checkbox ? String((input as HTMLInputElement).checked) : input.value.trim();
      const usual =
        "default" in setting &&
        wordsOf(option, setting.default).join(",") === words &&
        flag !== "eig.frequency";
      this.complain(input, this.lab.set(flag, usual || words === "" ? undefined : words));
    };
    const input = inputFor(setting.kind, { id, title: `--${flag}: ${setting.help}`, onchange: change });
    this.fields.set(flag, { option, input });
    const name = flag.replace(/^(opt|data|arch|eig|central|stable|log|discrete)\./, "").replaceAll("-", " ");
    return element("label", { class: `field ${setting.kind.is}` }, [element("span", {}, [name]), input]);
  }

  private dice(): void {
    this.complain(
      byId<HTMLInputElement>("field-seed"),
      this.lab.set("seed", String(Number(this.lab.pairs.get("seed") ?? 0) + 1)),
    );
  }

  /** Says at a control what the command line would say. */
  private complain(input: HTMLElement, sentence: string | undefined): void {
    for (const each of document.querySelectorAll('[aria-invalid="true"]'))
      each.removeAttribute("aria-invalid");
    byId("field-error").textContent = sentence ?? "";
    if (sentence === undefined) return;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", "field-error");
  }
}

function inputFor(
  kind: Kind,
  attributes: Readonly<Record<string, string | ((event: Event) => void)>>,
): HTMLInputElement | HTMLSelectElement {
  if (kind.is === "choice")
    return element(
      "select",
      attributes,
      kind.names.map((name) => element("option", { value: name }, [name])),
    );
  if (kind.is === "switch") return element("input", { ...attributes, type: "checkbox" });
  const whole = kind.is === "integer";
  return element("input", {
    ...attributes,
    type: whole ? "number" : "text",
    ...(whole && {
      step: "1",
      ...(kind.min !== undefined && { min: String(kind.min) }),
      ...(kind.max !== undefined && { max: String(kind.max) }),
    }),
    ...(kind.is === "number" && { inputmode: "decimal" }),
    autocomplete: "off",
    spellcheck: "false",
  });
}
