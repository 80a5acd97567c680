import { quantity } from "central-flows/simulation";

export default quantity({
  name: "norm",
  help: "the length of the weights",
  settings: {},
  measure: ({ weights }) => Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0)),
});
