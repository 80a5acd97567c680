const THEMES = ["auto", "light", "dark"];

/**
 * The value of a custom property of the page, which depends on the theme.
 * @param {string} name such as `--grid`
 */
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * Calls back while the page's colours are light, as they are on paper.
 * @template T
 * @param {() => T} draw
 * @returns {T}
 */
export function inLight(draw) {
  const root = document.documentElement;
  const before = root.dataset.theme;
  root.dataset.theme = "light";
  try {
    return draw();
  } finally {
    if (before === undefined) delete root.dataset.theme;
    else root.dataset.theme = before;
  }
}

/**
 * Makes the theme button work and calls back whenever colours change: by the button, by the system, for printing.
 * @param {() => void} onChange
 */
export function watchTheme(onChange) {
  const root = document.documentElement;
  const button = /** @type {HTMLButtonElement} */ (document.getElementById("theme"));
  let theme = "auto";
  /** @param {string} shown */
  const apply = (shown) => {
    root.dataset.theme = shown;
    onChange();
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    button.textContent = `Theme: ${theme}`;
    apply(theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  addEventListener("beforeprint", () => apply("light"));
  addEventListener("afterprint", () => apply(theme));
}
