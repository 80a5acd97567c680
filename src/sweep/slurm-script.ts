import { join, resolve } from "node:path";
import { SWEEP_NAMES, type Sweep } from "./folder.ts";

/** A word as a shell takes it for itself. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** What the array script needs to know. */
export interface ScriptOptions {
  /** The program with its first arguments, before `sweep task`; absolute paths, for the nodes. */
  readonly program: readonly string[];
  /** Lines of shell that run first, such as `module load node`; empty for none. */
  readonly setup: string;
}

/**
 * The script of a Slurm array. Its argument is a file with a line per array task: indices of points. It decides by
 * outcome.json, not by an exit status, whether a point is final; it is told 120 s before the time limit, has the task end
 * after its step, and has Slurm start it again, as it does after a crash; ten times without a new row and it gives up. On TERM, which is what
 * scancel and preemption send, it ends: Slurm itself starts preempted jobs again.
 */
export function arrayScript(sweep: Sweep, { program, setup }: ScriptOptions): string {
  const directory = resolve(sweep.directory);
  return `#!/bin/bash
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@120
${setup}
sweep=${quoted(directory)}
task=(${program.map(quoted).join(" ")} sweep task)
cd ${quoted(sweep.cwd)} || exit 70

restarts="$sweep/${SWEEP_NAMES.slurm}/restarts"
mkdir -p "$restarts"
line=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$1")

child=
why=
stop() {
  why=$1
  [ -n "$child" ] && kill -TERM "$child" 2>/dev/null
}
trap 'stop limit' USR1
trap 'stop term' TERM

folder() { printf '%s/${SWEEP_NAMES.runs}/%04d_*' "$sweep" "$1"; }
final() { compgen -G "$(folder "$1")/outcome.json" >/dev/null; }
logged() { stat -c %s $(folder "$1")/journal.bin 2>/dev/null || echo 0; }

# Brings a point to its end as far as it goes; its status is that of the task, or of what a signal made of it.
run() {
  "\${task[@]}" "$sweep" "$1" --threads "\${SLURM_CPUS_PER_TASK:-1}" &
  child=$!
  local status
  # A trap ends wait while the task goes on.
  while wait "$child"; status=$?; [ "$status" -gt 128 ] && kill -0 "$child" 2>/dev/null; do :; done
  child=
  return "$status"
}

# Has Slurm start this array task again, unless ten starts have brought no new row.
again() {
  local index=$1 status=$2 count=0 before=-1 now
  [ -f "$restarts/$index" ] && read -r count before <"$restarts/$index"
  now=$(logged "$index")
  [ "$now" -gt "$before" ] && count=0
  count=$((count + 1))
  echo "$count $now" >"$restarts/$index"
  if [ "$count" -gt 10 ]; then
    echo "point $index: no new row in ten starts; given up"
    exit "$status"
  fi
  echo "point $index: ended with status $status \${why:+($why) }and goes on in a new start"
  trap '' TERM USR1
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}"
  exit "$status"
}

last=0
for index in $line; do
  final "$index" && continue
  for try in 1 2 3 4 5; do
    [ -n "$why" ] || run "$index"
    status=$?
    # Somebody else holds it: perhaps the start before, on a node that has crashed, whose lock is stale after a minute.
    [ "$status" -eq 75 ] && [ -z "$why" ] || break
    sleep 20 &
    wait $!
  done
  final "$index" && continue
  last=$status
  [ "$why" = term ] && exit "$status"
  [ -e "$sweep/${SWEEP_NAMES.cancelled}" ] && exit "$status"
  [ "$status" -eq 75 ] && continue
  again "$index" "$status"
done
exit "$last"
`;
}

/** The file of the script. */
export const scriptPath = (directory: string): string =>
  join(resolve(directory), SWEEP_NAMES.slurm, "array.sh");
