export {
  CLAIM_NAMES,
  type ClaimName,
  type ClaimOptions,
  type ClaimOutcome,
  checkClaims,
} from "./claims.ts";
