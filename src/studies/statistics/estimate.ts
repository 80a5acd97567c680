/** A mean with its standard error. */
export interface Estimate {
  readonly mean: number;
  readonly error: number;
}

/** The mean of numbers and its standard error. */
export function estimate(values: ArrayLike<number>): Estimate {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i] / values.length;
  let square = 0;
  for (let i = 0; i < values.length; i++) square += (values[i] - mean) ** 2;
  return { mean, error: Math.sqrt(square / ((values.length - 1) * values.length)) };
}

/**
 * The mean of a correlated sequence and its error from the means of equal stretches of it, which are long enough to be
 * independent if the sequence forgets within a small part of one.
 *
 * @param stretches how many; what does not fill the last one is left out at the start
 */
export function batchMeans(values: ArrayLike<number>, stretches = 20): Estimate {
  const length = Math.floor(values.length / stretches);
  const from = values.length - stretches * length;
  const means = new Float64Array(stretches);
  for (let stretch = 0; stretch < stretches; stretch++)
    for (let i = 0; i < length; i++) means[stretch] += values[from + stretch * length + i] / length;
  return estimate(means);
}

/** How far a mean lies from a value, in its standard errors. */
export const inErrors = ({ mean, error }: Estimate, value: number): number => Math.abs(mean - value) / error;
