import { ENGINES, flopsOf, nameOf, operationsOf } from "./operations.ts";
import { DIRECTIONS } from "./problems.ts";
import type { Request } from "./request.ts";
import { digits, percent, progress, Table, time } from "./table.ts";
import { compareTimes } from "./timing.ts";

/** Gradient, Hessian-vector product and joint pass of the problems on our two backends, with what they count. */
export function derivatives({ problems }: Request): void {
  const pairs = (DIRECTIONS * (DIRECTIONS + 1)) / 2;
  console.log("\n### Derivatives of the problems\n");
  console.log(
    `HVP: a Hessian-vector product; shared: at weights where a gradient was taken. Joint: the gradient,`,
  );
  console.log(
    `${DIRECTIONS} HVPs and ${pairs} third derivatives. In gradients: time over the gradient's; counted:`,
  );
  console.log("arithmetic over the gradient's; the last column is time per flop over the gradient's.\n");
  const table = new Table([
    "problem",
    "weights",
    "examples",
    "backend",
    "gradient",
    "HVP",
    "HVP, shared",
    "joint",
    "joint, GFLOP/s",
    "in gradients",
    "counted",
    "over counted",
  ]);
  for (const make of problems) {
    const given = make();
    const { name, n, weights, vectors } = given;
    progress(`derivatives of ${name}`);
    const engines = ENGINES.map((engine) => operationsOf(given, engine, vectors));
    const times = compareTimes(
      engines.flatMap(({ gradient, hvp, sharedHvp, joint }) => [gradient, hvp, sharedHvp, joint]),
      1,
    );
    engines.forEach(({ objective, gradient, joint }, b) => {
      const [first, product, shared, all] = times.slice(4 * b, 4 * b + 4);
      const flops = flopsOf(objective, joint);
      const counted = flops / flopsOf(objective, gradient);
      const measured = all.median / first.median;
      table.row(
        name,
        String(weights.length),
        String(n),
        nameOf(ENGINES[b]),
        time(first),
        time(product),
        time(shared),
        time(all),
        digits(flops / all.median / 1e6),
        digits(measured),
        digits(counted),
        percent(measured / counted),
      );
      objective.dispose();
    });
  }
  table.print();
}
