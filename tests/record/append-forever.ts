/** Appends plain rows to a new journal (first argument) until killed or refused, telling after each append. */
import { writeSync } from "node:fs";
import { createJournal } from "../../src/record/journal.ts";
import { HEAD, plainRow } from "./rows.ts";

const journal = createJournal(process.argv[2], HEAD);
try {
  for (let index = 0; ; index++) {
    journal.append(plainRow(index));
    writeSync(1, `${index}\n`);
  }
} catch (error) {
  writeSync(2, `${String(error)}\n`);
  process.exit(1);
}
