import fc from "fast-check";

/**
 * Properties are tried on the same drawn cases each time, so that a test fails where something changed and not by chance;
 * CENTRAL_FLOWS_SEED=N draws others. A failure prints the seed and the smallest case.
 */
fc.configureGlobal({ seed: Number(process.env.CENTRAL_FLOWS_SEED ?? 20) });
