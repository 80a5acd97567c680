import { afterEach, expect, test, vi } from "vitest";
import {
  type Backend,
  compile,
  grad,
  jsBackend,
  logSumExp,
  matmul,
  max,
  sum,
  type Tensor,
  tanh,
  transpose,
} from "../../../src/autodiff/index.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("kernels get the same arrays in every run, and no typed array is made", () => {
  const seen: [memory: Float64Array, at: Int32Array][][] = [];
  let turn: [Float64Array, Int32Array][] = [];
  const watching: Backend = {
    ...jsBackend,
    lower: (instruction) => {
      const kernel = jsBackend.lower(instruction);
      return (memory, at) => {
        turn.push([memory, at]);
        kernel(memory, at);
      };
    },
  };
  const loss = (w: Tensor, x: Tensor): Tensor =>
    sum(logSumExp(matmul(tanh(matmul(x, w)), transpose(max(w, { axes: [0], keepAxes: true })))));
  const run = compile(
    grad(loss),
    [
      [4, 3],
      [5, 4],
    ],
    { backend: watching },
  );
  const inputs = [new Float64Array(12).fill(0.3), new Float64Array(20).fill(-0.1)];
  const outputs = [new Float64Array(12)];
  run.run(inputs, outputs);

  const made = vi.fn();
  for (const name of ["Float64Array", "Int32Array", "Uint8Array"] as const)
    vi.stubGlobal(
      name,
      new Proxy(globalThis[name], {
        construct: (target, args, newTarget) => {
          made(name);
          return Reflect.construct(target, args, newTarget);
        },
      }),
    );
  for (const prototype of [Float64Array.prototype, Int32Array.prototype])
    for (const method of ["subarray", "slice", "map", "filter"] as const)
      vi.spyOn(prototype, method).mockImplementation(made);
  for (let i = 0; i < 3; i++) {
    turn = [];
    run.run(inputs, outputs);
    seen.push(turn);
  }
  expect(made).not.toHaveBeenCalled();
  expect(seen[0].length).toBe(run.plan.segments[0].length);
  for (const later of seen.slice(1))
    later.forEach(([memory, at], i) => {
      expect(memory).toBe(seen[0][i][0]);
      expect(at).toBe(seen[0][i][1]);
    });
});
