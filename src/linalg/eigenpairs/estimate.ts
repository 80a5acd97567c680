/** A number estimated with random vectors. */
export interface Estimate {
  readonly value: number;
  /** Its standard error; 0 where the value is exact up to rounding. */
  readonly error: number;
}
