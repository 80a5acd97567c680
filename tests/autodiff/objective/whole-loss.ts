import {
  array,
  type LossDefinition,
  multiply,
  reshape,
  sizeOf,
  slice,
  sum,
  type Tensor,
} from "../../../src/autodiff/index.ts";

/** A loss as one plain function of the flat weights and all examples at once: its definition, without chunks. */
export function wholeLoss(definition: LossDefinition): (w: Tensor, batch: Record<string, Tensor>) => Tensor {
  return (w, batch) => {
    let offset = 0;
    const parameters = Object.fromEntries(
      Object.entries(definition.parameters).map(([name, shape]) => {
        const part = reshape(slice(w, [offset], [sizeOf(shape)]), shape);
        offset += sizeOf(shape);
        return [name, part];
      }),
    );
    if (definition.examples === undefined) return definition.loss(parameters);
    const rows = definition.criterion(definition.outputs(parameters, batch), batch);
    const size = sizeOf(rows.shape);
    const weights = definition.rowWeights ?? new Float64Array(size).fill(1 / size);
    return sum(multiply(rows, array(rows, weights, rows.shape)));
  };
}
