import { valueError } from "../../base/index.ts";
import { type Bits, bitsOf, bitsText } from "./bits.ts";
import { differenceOf, type Pairs, withDifference } from "./words.ts";

/** The form of links that this lab writes; it reads those of no later one. */
const FORM = 1;

/** The charts of the lab, by the names that links have. */
export const CHARTS = ["sharpness", "loss", "path", "picture"] as const;
/** One of them. */
export type ChartName = (typeof CHARTS)[number];

/** How the charts are seen. */
export interface View {
  /** Eigenvalues of the Hessian against 2/η, or of the effective one against 2. */
  readonly sharpness: "raw" | "effective";
  readonly loss: "log" | "linear";
  /** The paths in a plane, or the oscillation along the sharp direction with its predicted width. */
  readonly path: "plane" | "band";
}

/** How they are seen unless a link says otherwise. */
export const USUAL_VIEW: View = { sharpness: "raw", loss: "log", path: "plane" };

/** What a link says: all that the lab shows follows from it. */
export interface LabLink {
  /** At least one: the run, and those kept beside it. */
  readonly runs: readonly Pairs[];
  readonly view: View;
  /** The only chart that is shown. */
  readonly embed?: ChartName;
  /** A beat of the tour. */
  readonly tour?: string;
  /** The bits that the first run had where the link was made. */
  readonly bits?: Bits;
}

const RESERVED = new Set(["view", "embed", "tour", "bits", "form"]);

const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll("%3A", ":").replaceAll("%2C", ",");

const written = (pairs: Pairs): string[] =>
  Array.from(pairs, ([key, value]) => `${encoded(key)}=${encoded(value)}`);

function viewWords(view: View): string {
  return (Object.keys(USUAL_VIEW) as (keyof View)[])
    .flatMap((key) => (view[key] === USUAL_VIEW[key] ? [] : [view[key]]))
    .join(",");
}

/** The hash of a page's address, without the #. */
export function writeLink({ runs: [first, ...others], view, embed, tour, bits }: LabLink): string {
  const words = viewWords(view);
  const extras = [
    ...(words === "" ? [] : [`view=${words}`]),
    ...(embed === undefined ? [] : [`embed=${embed}`]),
    ...(tour === undefined ? [] : [`tour=${encoded(tour)}`]),
    ...(bits === undefined ? [] : [`bits=${bitsText(bits)}`]),
  ];
  const segments = [written(first), ...others.map((run) => written(differenceOf(first, run)))];
  return segments.map((segment, i) => (i === 0 ? [...segment, ...extras] : segment).join("&")).join("/");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw valueError("link", "text in which % stands before two hexadecimal digits", text);
  }
}

function pairsIn(segment: string): [string, string][] {
  return segment
    .split("&")
    .filter((piece) => piece !== "")
    .map((piece) => {
      const at = piece.indexOf("=");
      return at < 0 ? [decoded(piece), "true"] : [decoded(piece.slice(0, at)), decoded(piece.slice(at + 1))];
    });
}

/**
 * What the hash of an address says; undefined for one that says nothing of a run. Flags are only told apart here: what
 * they mean is read by `readPairs`.
 *
 * @param hash with or without the #
 * @throws InputValueError for a link of a later form, or for a chart, a view or bits that there are not
 */
export function readLink(
  hash: string,
): (Omit<LabLink, "runs"> & { readonly runs: readonly Pairs[] }) | undefined {
  const segments = hash.replace(/^#/, "").split("/").map(pairsIn);
  const reserved = new Map(segments.flat().filter(([key]) => RESERVED.has(key)));
  const form = Number(reserved.get("form") ?? FORM);
  if (!(form <= FORM))
    throw valueError(
      "link",
      `one of form ${FORM}`,
      `form ${reserved.get("form")}`,
      "it is of a newer lab: open that one",
    );
  const [first, ...others] = segments.map((pairs) => new Map(pairs.filter(([key]) => !RESERVED.has(key))));
  const embed = reserved.get("embed");
  const bits = reserved.get("bits");
  const tour = reserved.get("tour");
  const view = viewOf(reserved.get("view") ?? "");
  if (embed !== undefined && !CHARTS.some((name) => name === embed))
    throw valueError("embed", `one of ${CHARTS.join(", ")}`, embed);
  const read = bits === undefined ? undefined : bitsOf(bits);
  if (bits !== undefined && read === undefined) throw valueError("bits", "rows.digest.marks", bits);
  const rest = {
    view,
    ...(embed !== undefined && { embed: embed as ChartName }),
    ...(tour !== undefined && { tour }),
    ...(read && { bits: read }),
  };
  if (first.size === 0 && others.length === 0 && tour === undefined) return undefined;
  return {
    runs: first.size === 0 ? [] : [first, ...others.map((each) => withDifference(first, each))],
    ...rest,
  };
}

function viewOf(words: string): View {
  const view: Record<string, string> = { ...USUAL_VIEW };
  const known = {
    raw: "sharpness",
    effective: "sharpness",
    log: "loss",
    linear: "loss",
    plane: "path",
    band: "path",
  };
  for (const word of words.split(",").filter((each) => each !== "")) {
    if (!Object.hasOwn(known, word)) throw valueError("view", `among ${Object.keys(known).join(", ")}`, word);
    view[known[word as keyof typeof known]] = word;
  }
  return view as unknown as View;
}
