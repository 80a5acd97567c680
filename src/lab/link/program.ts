import { argvOf, type Pairs } from "./words.ts";

/** A program that computes a run with this package and prints its rows. */
export const programOf = (pairs: Pairs): string => `// npm install central-flows; then: node run.mjs
import { parseRun } from "central-flows/settings";
import { buildRun } from "central-flows/simulation";

const { config } = parseRun([
${argvOf(pairs)
  .map((word) => `  ${JSON.stringify(word)},`)
  .join("\n")}
]);
const { simulation } = buildRun(config, {});
for (let row = 0; row < config.steps && simulation.running; row++) {
  const quantities = simulation.step();
  console.log(row, quantities["discrete/train_loss"], quantities["central/train_loss"]);
}
`;
