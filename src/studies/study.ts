import { type ShouldStop, throwIfStopped } from "../base/index.ts";
import type { StudyFigure } from "../report/index.ts";

/**
 * What stands behind what a study says of a paper: its text read in full, its abstract, its authors' code, what others
 * report of it (second-hand), or our own algebra (derived).
 */
export type Standing = "read in full" | "abstract" | "code" | "second-hand" | "derived";

/** A paper that a study is about. */
export interface Paper {
  readonly title: string;
  /** Such as 2311.11532. */
  readonly arxiv: string;
  readonly standing: readonly Standing[];
}

/** Where a number has to lie. */
export type Bound =
  | { readonly below: number }
  | { readonly above: number }
  | { readonly between: readonly [least: number, most: number] };

/** What a study asks of one number, stated before it is measured. */
export interface Criterion {
  /** What is measured, without a full stop. */
  readonly sentence: string;
  readonly bound: Bound;
}

/** How large a study is: as it is meant, or of seconds, for tests and a first look. */
export type StudySize = "full" | "small";

/** What a study is handed while it runs. */
export interface StudyTask {
  readonly size: StudySize;
  /** Told how much is done, 0 to 1, and what is being done now. Cheap: may be called in inner loops. */
  readonly progress: (done: number, doing: string) => void;
  /** Asked at least every second of work; `stopIfAsked` throws where it answers true. */
  readonly shouldStop: ShouldStop;
}

/** A number that is told, not judged. */
export interface ToldNumber {
  /** What it is, without a full stop. */
  readonly label: string;
  readonly value: number;
}

/** What a study found: plain data. */
export interface Findings<K extends string = string> {
  /** One number per criterion; NaN where it could not be measured, which meets none. */
  readonly measured: Readonly<Record<K, number>>;
  readonly told?: readonly ToldNumber[];
  readonly figures: readonly StudyFigure[];
  /** Sentences on what was seen: above all why a criterion is not met, where one is not. */
  readonly remarks?: readonly string[];
}

/**
 * One study: a question that a related paper asks, measured with parts of this program, each certified by something that
 * is not the study itself. What it runs is deterministic: one seed, one generator.
 */
export interface Study<K extends string = string> {
  /** Letters and hyphens: its name on the command line and the names of its files. */
  readonly name: string;
  readonly title: string;
  readonly papers: readonly Paper[];
  /** What is asked, in a sentence or two. */
  readonly question: string;
  /** How it is measured, and what certifies that. */
  readonly method: string;
  /** What has to hold, in the order of the page; the verdict is computed from these and from nothing else. */
  readonly criteria: Readonly<Record<K, Criterion>>;
  /** A paragraph on what was not available to us, and on what is therefore not claimed. */
  readonly unavailable: string;
  /** Measures. @throws Stopped as soon as `task.shouldStop` answers true */
  run(task: StudyTask): Findings<K> | Promise<Findings<K>>;
  /**
   * The same question of a run of the user's: what its folder says, told and drawn, not judged.
   *
   * @throws InputValueError for a folder that has no answer
   */
  ofRun?(directory: string, task: StudyTask): Findings<never> | Promise<Findings<never>>;
}

/** Declares a study: that it measures what its criteria name is checked by the compiler. */
export const study = <const K extends string>(definition: Study<K>): Study<K> => definition;

/** Throws `Stopped` where the study is to end. */
export const stopIfAsked = ({ shouldStop }: StudyTask): void => throwIfStopped("study", shouldStop);

/** Whether a number lies within a bound; NaN lies within none. */
export function meets(bound: Bound, value: number): boolean {
  if ("below" in bound) return value < bound.below;
  if ("above" in bound) return value > bound.above;
  return value >= bound.between[0] && value <= bound.between[1];
}

/** A bound in words, such as `below 0.1`. */
export function boundWords(bound: Bound): string {
  if ("below" in bound) return `below ${bound.below}`;
  if ("above" in bound) return `above ${bound.above}`;
  return `between ${bound.between[0]} and ${bound.between[1]}`;
}
