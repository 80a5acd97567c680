import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitepress";
import { NOBODYS, repositoryAddress } from "../../tools/address.mjs";

const { description, version } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);
const address = repositoryAddress();
const isSet = new URL(address).hostname !== NOBODYS;

const page = (text, link) => ({ text, link });

/** The documents by what they are for; any other is listed under the last heading. */
const GROUPS = {
  "Use it": ["guide", "lesson", "own-rule", "own-network", "library", "sweeps", "researchers"],
  "Understand it": ["claims", "beyond", "studies", "derivations", "solvers"],
  "Trust it": ["evidence", "reference", "performance", "peers", "dependencies"],
};
const folder = new URL("../pages/", import.meta.url);
const titleOf = (path) => /^# (.*)$/m.exec(readFileSync(new URL(path, folder), "utf8"))?.[1] ?? path;
const documents = readdirSync(new URL("docs", folder))
  .filter((file) => file.endsWith(".md"))
  .map((file) => file.replace(".md", ""));
const listed = (names) =>
  names
    .filter((name) => documents.includes(name))
    .map((name) => page(titleOf(`docs/${name}.md`), `/docs/${name}`));
const grouped = Object.values(GROUPS).flat();
const others = listed(documents.filter((name) => !grouped.includes(name)));

const modules = readdirSync(new URL("api", folder))
  .filter((file) => file.endsWith(".md") && file !== "index.md")
  .map((file) => file.replace(".md", ""));

/** Anchors as code hosts make them of headings, so that links between documents lead to the same places here. */
const slugify = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");

export default defineConfig({
  title: "central-flows",
  description,
  lang: "en",
  srcDir: "pages",
  outDir: "dist",
  base: process.env.SITE_BASE ?? "/",
  cleanUrls: false,
  lastUpdated: false,
  // The theme would put a style element into the page to change without a transition, which the policy forbids.
  appearance: { disableTransition: false },
  head: [["link", { rel: "icon", href: "data:," }]],
  markdown: {
    anchor: { slugify },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: { level: [2, 3] },
    nav: [
      page("Guide", "/docs/guide"),
      page("Lab", "/lab/index.html"),
      page("Library", "/docs/library"),
      page("API", "/api/"),
      ...(isSet ? [page("Source", address)] : []),
    ].map((item) => (item.text === "Lab" ? { ...item, target: "_self" } : item)),
    sidebar: [
      {
        text: `central-flows ${version}`,
        items: [page("What it is", "/"), page("Architecture", "/ARCHITECTURE")],
      },
      ...Object.entries(GROUPS).map(([text, names]) => ({ text, items: listed(names) })),
      {
        text: "Further",
        items: [...others, page("Contributing", "/CONTRIBUTING"), page("Changelog", "/CHANGELOG")],
      },
      { text: "API", items: modules.map((name) => page(name, `/api/${name}`)) },
    ],
  },
});
