import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type ShouldStop, Stopped, valueError } from "../base/index.ts";
import { makeFolder, writeFileAtomic } from "../record/index.ts";
import { figureSvg, renderStudies, type StudyNumber, type StudyResult } from "../report/index.ts";
import { STUDIES } from "./list.ts";
import { boundWords, type Findings, meets, type Study, type StudySize, type StudyTask } from "./study.ts";

/** Where and how studies are carried out. */
export interface StudyOptions {
  /** The folder of the files: NAME.html, NAME.json and NAME.svg of each study, index.html of several. */
  readonly directory: string;
  /** Default full. */
  readonly size?: StudySize;
  /** The program's version, which a kept result must have. */
  readonly version: string;
  /** One line on the machine and engine, for the pages. */
  readonly environment: string;
  /** Whether results of the same version, size and criteria that stand in the folder are kept. Default false. */
  readonly keep?: boolean;
  /** The folder of a run of the user's, which is asked in place of the study's own measurements. */
  readonly ofRun?: string;
  /** Told how much of a study is done, 0 to 1, and what is being done. */
  readonly progress?: (study: string, done: number, doing: string) => void;
  /** Asked while studies run; true ends them, what is finished being on disk. Default never. */
  readonly shouldStop?: ShouldStop;
}

/** What was found, and where it can be read. */
export interface StudyOutcome {
  readonly studies: readonly StudyResult[];
  /** The page's path. */
  readonly page: string;
}

/** What the JSON of a study holds beside its result: by which it is known whether that still answers. */
interface Made {
  readonly version: string;
  readonly size: StudySize;
  readonly criteria: string;
}

/**
 * Carries out studies one after another; the files of each are written as soon as it is finished, so that stopping loses
 * nothing that is.
 *
 * @returns "interrupted" where `shouldStop` answered true before the last one was finished
 * @throws InputValueError for a name that is no study's, or for a run that one has no question to
 */
export async function carryOut(
  names: readonly string[],
  options: StudyOptions,
): Promise<StudyOutcome | "interrupted"> {
  const { directory, environment, shouldStop = () => false } = options;
  const studies = names.map(studyNamed);
  const finished: StudyResult[] = [];
  makeFolder(directory);
  const overview = join(directory, "index.html");
  for (const each of studies) {
    try {
      finished.push(kept(each, options) ?? (await carriedOut(each, options, shouldStop)));
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      return "interrupted";
    }
    if (names.length > 1) writeFileAtomic(overview, renderStudies(finished, environment));
  }
  return { studies: finished, page: names.length > 1 ? overview : join(directory, `${names[0]}.html`) };
}

function studyNamed(name: string): Study {
  const found = STUDIES.find((each) => each.name === name);
  if (found) return found;
  throw valueError("study", `one of ${STUDIES.map((each) => each.name).join(", ")}`, name);
}

async function carriedOut(study: Study, options: StudyOptions, shouldStop: ShouldStop): Promise<StudyResult> {
  const { directory, environment, ofRun, size = "full", progress = () => {} } = options;
  const task: StudyTask = {
    size,
    shouldStop,
    progress: (done, doing) => progress(study.name, done, doing),
  };
  const result = ofRun === undefined ? judged(study, await study.run(task)) : await asked(study, ofRun, task);
  const file = (ending: string): string => join(directory, `${study.name}.${ending}`);
  // JSON has no NaN: null stands for it, and for infinities.
  writeFileAtomic(file("json"), `${JSON.stringify({ made: madeOf(study, options), ...result }, null, 1)}\n`);
  if (result.figures.length > 0) writeFileAtomic(file("svg"), figureSvg(result.figures[0]));
  writeFileAtomic(file("html"), renderStudies([result], environment));
  return result;
}

async function asked(study: Study, directory: string, task: StudyTask): Promise<StudyResult> {
  const { name, ofRun } = study;
  if (ofRun === undefined) {
    const able = STUDIES.filter((each) => each.ofRun !== undefined).map((each) => each.name);
    throw valueError(`study ${name}`, "no further words", directory, `of a run: study ${able.join(", ")}`);
  }
  const findings = await ofRun.call(study, directory, task);
  const plain = described(study, findings, []);
  return { ...plain, holds: null, verdict: `of the run in ${directory}: told, not judged` };
}

/** The verdict, from the criteria alone. */
function judged(study: Study, findings: Findings): StudyResult {
  const numbers = Object.entries(study.criteria).map(([key, { sentence, bound }]): StudyNumber => {
    const value = findings.measured[key] ?? Number.NaN;
    return { label: sentence, value, criterion: boundWords(bound), holds: meets(bound, value) };
  });
  const missed = numbers.filter(({ holds }) => !holds);
  const verdict =
    missed.length === 0
      ? `holds: ${numbers.length === 1 ? "its criterion is" : `all ${numbers.length} criteria are`} met`
      : `does not hold here: ${missed.map(({ label, value, criterion }) => `${label} is ${Number(value.toPrecision(3))}, wanted ${criterion}`).join("; ")}`;
  return { ...described(study, findings, numbers), holds: missed.length === 0, verdict };
}

function described(
  { name, title, papers, question, method, unavailable }: Study,
  { told = [], figures, remarks = [] }: Findings,
  numbers: readonly StudyNumber[],
): Omit<StudyResult, "holds" | "verdict"> {
  const sources = papers.map(({ title, arxiv, standing }) => ({
    title,
    arxiv,
    standing: standing.join(", "),
  }));
  return {
    name,
    title,
    papers: sources,
    question,
    method,
    numbers: [...numbers, ...told],
    figures,
    remarks,
    unavailable,
  };
}

const madeOf = (study: Study, { version, size = "full" }: StudyOptions): Made => ({
  version,
  size,
  criteria: JSON.stringify(study.criteria),
});

/** The result that stands in the folder, where it may be kept and still answers. */
function kept(study: Study, options: StudyOptions): StudyResult | undefined {
  const path = join(options.directory, `${study.name}.json`);
  if (!options.keep || options.ofRun !== undefined || !existsSync(path)) return undefined;
  try {
    const { made, ...result } = JSON.parse(readFileSync(path, "utf8")) as StudyResult & { made: Made };
    const same = JSON.stringify(made) === JSON.stringify(madeOf(study, options)) && result.holds !== null;
    return same ? withNumbers(result) : undefined;
  } catch {
    return undefined;
  }
}

/** A result from JSON: where null stands, NaN. */
function withNumbers(result: StudyResult): StudyResult {
  const numeric = (value: number | null): number => value ?? Number.NaN;
  return {
    ...result,
    numbers: result.numbers.map((each) => ({ ...each, value: numeric(each.value) })),
    figures: result.figures.map((figure) => ({
      ...figure,
      curves: figure.curves.map((curve) => ({
        ...curve,
        x: curve.x.map(numeric),
        y: curve.y.map(numeric),
      })),
    })),
  };
}
