/**
 * Writes src/data/sets/digits-embedded.ts from a gzipped CSV of the digits, one image of 64 pixels and a label a row:
 *
 *     npx tsx tools/embed-digits.ts PATH/digits.csv.gz
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { packImages } from "../src/data/formats/pixel-code.ts";

const COLUMNS = 65;

const path = process.argv[2];
if (path === undefined) throw new Error("embed-digits: expected the path of digits.csv.gz, got none");
const rows = gunzipSync(readFileSync(path)).toString("latin1").trim().split(/\r?\n/);
const table = rows.map((row) => row.split(",").map(Number));
if (
  !table.every((row) => row.length === COLUMNS && row.every((v) => Number.isInteger(v) && v >= 0 && v <= 16))
)
  throw new Error(`embed-digits: expected rows of ${COLUMNS} integers from 0 to 16`);

const base64 = Buffer.from(
  packImages(
    Uint8Array.from(table, (row) => row[COLUMNS - 1]),
    Uint8Array.from(table.flatMap((row) => row.slice(0, -1))),
  ),
).toString("base64");

writeFileSync(
  fileURLToPath(new URL("../src/data/sets/digits-embedded.ts", import.meta.url)),
  `// Written by tools/embed-digits.ts; do not edit.

/** Source and licence of the digits. */
export const attribution =
  "Optical Recognition of Handwritten Digits (test part, 1797 images, as shipped with scikit-learn): " +
  "E. Alpaydin, C. Kaynak (1998), UCI Machine Learning Repository, doi 10.24432/C50P49, CC BY 4.0";

/** Number of images. */
export const count = ${table.length};

/** Labels and images as \`packImages\` packs them, in base64. */
export const packed =
  "${base64}";
`,
);
