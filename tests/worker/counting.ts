import { multiply, square, sum } from "../../src/autodiff/index.ts";
import { kindError, valueError } from "../../src/base/index.ts";
import { centralFlow, gradientDescent } from "../../src/flows/index.ts";
import { serve } from "../../src/worker/index.ts";

/** What a test asks for. */
export interface Question {
  /** Rows of a count, with what was counted when each was made. */
  readonly count?: number;
  /** Thrown after these rows. */
  readonly fails?: "value" | "kind" | "plain";
  /** Rows of a flow with this learning rate. */
  readonly lr?: number;
  /** Pauses before each row, in milliseconds. */
  readonly pause?: number;
}

const ERRORS = {
  value: () => valueError("lr", "a positive number", "0"),
  kind: () => kindError("lr", "a number", "a string"),
  plain: () => new SyntaxError("odd"),
};

/** Rows that were made since the worker began. */
let made = 0;

function* counted({ count = 0, fails }: Question) {
  for (let index = 0; index < count; index++) yield { index, made: ++made };
  if (fails) throw ERRORS[fails]();
}

async function* slowly(question: Question) {
  for (const row of counted(question)) {
    await new Promise((resolve) => setTimeout(resolve, question.pause));
    yield row;
  }
}

function* flow(lr: number) {
  const steps = centralFlow({
    parameters: { w: [2] },
    loss: ({ w }) => multiply(sum(square(w)), 0.5),
    weights: [1, 2],
    optimizer: gradientDescent({ lr }),
  }).steps(5);
  for (const { step, central } of steps) yield { index: step, made: central.loss };
}

export const work = serve((question: Question) => {
  if (question.lr !== undefined) return flow(question.lr);
  return question.pause === undefined ? counted(question) : slowly(question);
});
