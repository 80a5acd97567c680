import { type ShouldStop, Stopped, valueError } from "../../base/index.ts";

/** The part of an AbortSignal that is needed, for programs without the types of a page or of Node. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
}

/** How many steps to take, and what ends them early. */
export interface StepsOptions {
  /** Rows at most. Default 50. */
  readonly count?: number;
  /** Asked within steps too, once per chunk of examples: where it answers true the loop ends after the last whole row. */
  readonly shouldStop?: ShouldStop;
  /** Looked at before each step: once aborted, the loop throws its reason. Only `for await` lets it come about. */
  readonly signal?: AbortSignalLike;
}

/** Steps still to be taken, by `for … of` at once or by `for await … of`, which lets the event loop turn between them. */
export interface Steps<Row> extends Iterable<Row>, AsyncIterable<Row> {
  [Symbol.iterator](): Generator<Row, void, undefined>;
  [Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined>;
}

/** Rows of the command line by default. */
const COUNT = 50;
/** Milliseconds of work after which the event loop turns: a page then draws every frame or two. */
const SLICE = 12;

/** What takes the steps: rows until there are no more. */
export interface Stepper<Row> {
  /** Undefined at the end. @throws Stopped where `shouldStop` answers true, the step as if it had not begun */
  next(shouldStop: ShouldStop | undefined): Row | undefined;
}

/** Steps of what takes them. @throws InputValueError for a count that is none */
export function stepsOf<Row>(stepper: Stepper<Row>, options: StepsOptions): Steps<Row> {
  const { count = COUNT, shouldStop, signal } = options;
  if (!(count >= 0) || (Number.isFinite(count) && !Number.isInteger(count)))
    throw valueError("steps", "a whole number, or Infinity", String(count));
  const next = (): Row | undefined => {
    if (signal?.aborted) throw signal.reason;
    if (shouldStop?.()) return undefined;
    try {
      return stepper.next(shouldStop);
    } catch (error) {
      if (error instanceof Stopped && shouldStop) return undefined;
      throw error;
    }
  };
  return {
    *[Symbol.iterator]() {
      for (let taken = 0; taken < count; taken++) {
        const row = next();
        if (row === undefined) return;
        yield row;
      }
    },
    async *[Symbol.asyncIterator]() {
      let turned = performance.now();
      for (let taken = 0; taken < count; taken++) {
        if (performance.now() - turned > SLICE) {
          await turn();
          turned = performance.now();
        }
        const row = next();
        if (row === undefined) return;
        yield row;
      }
    },
  };
}

/** Lets timers, messages and frames have their turn. */
const turn = (): Promise<void> => new Promise((resolve) => timers.setTimeout(resolve, 0));

/** The one function of hosts that is needed; every engine with an event loop has it. */
const timers = globalThis as unknown as {
  setTimeout(callback: () => void, milliseconds: number): unknown;
};
