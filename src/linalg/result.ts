/**
 * What every iterative solver returns: the value (the best found, whatever the status), how it ended (see
 * `advice`) and what was measured. Misuse throws; numerical failure is a status.
 */
export interface SolverResult<Value, Status extends string, Stats> {
  readonly value: Value;
  readonly status: Status;
  readonly stats: Stats;
}
