/** A Slurm of two virtual nodes on the loopback, with nothing of it outside one folder. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const NODES = ["n1", "n2"] as const;

const configuration = (folder: string): string => `ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=26817
SlurmdPort=26818
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/log/slurmctld.log
SlurmdLogFile=${folder}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=2,batch_sched_delay=0
JobRequeue=1
KillWait=5
SlurmctldTimeout=10
SlurmdTimeout=10
MinJobAge=300
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=n1 NodeAddr=127.0.0.1 NodeHostname=localhost Port=26821 CPUs=1 RealMemory=1000 State=UNKNOWN
NodeName=n2 NodeAddr=127.0.0.1 NodeHostname=localhost Port=26822 CPUs=1 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
`;

/** Whether Slurm's daemons can be started here; says so where not. */
export function slurmIsHere(): boolean {
  const missing = ["slurmctld", "slurmd", "sbatch"].filter(
    (program) => spawnSync(program, ["-V"]).error !== undefined,
  );
  if (missing.length === 0 && process.getuid?.() === 0) return true;
  console.warn(
    `skipped: ${missing.length > 0 ? `no ${missing.join(", ")}` : "not root"}; Slurm's daemons cannot be started`,
  );
  return false;
}

/** A running cluster. */
export class SlurmCluster {
  readonly env: NodeJS.ProcessEnv;
  private readonly daemons = new Map<string, ChildProcess>();

  private constructor(folder: string) {
    this.env = { ...process.env, SLURM_CONF: join(folder, "slurm.conf") };
    for (const name of ["state", "spool-n1", "spool-n2", "log"])
      mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "slurm.conf"), configuration(folder));
  }

  /** Starts the daemons and waits until both nodes are idle. */
  static async start(folder: string): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(folder);
    cluster.daemon("slurmctld", ["-D"]);
    for (const node of NODES) cluster.daemon("slurmd", ["-D", "-N", node], node);
    for (let waited = 0; waited < 200; waited++) {
      if (cluster.nodes().every((state) => state === "idle")) return cluster;
      await setTimeout(200);
    }
    await cluster.stop();
    throw new Error(`expected two idle nodes, got ${cluster.nodes().join(", ") || "none"}`);
  }

  private daemon(program: string, argv: readonly string[], name = program): void {
    this.daemons.set(name, spawn(program, argv, { env: this.env, stdio: "ignore" }));
  }

  private nodes(): string[] {
    const { stdout } = spawnSync("sinfo", ["-h", "-N", "-o", "%t"], { env: this.env, encoding: "utf8" });
    const states = stdout.trim().split("\n");
    return states.length === NODES.length ? states : ["unknown"];
  }

  /** The array tasks in the queue: state and node by id. */
  queue(): Map<string, { readonly state: string; readonly node: string }> {
    const text = execFileSync("squeue", ["-r", "-h", "-o", "%i|%T|%N"], { env: this.env, encoding: "utf8" });
    return new Map(
      text
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.split("|"))
        .map(([id, state, node]) => [id, { state, node }]),
    );
  }

  /** Processes of jobs, by the node on which they run, with the stepd that started them. */
  processesOn(node: string): number[] {
    const found = new Set<number>();
    for (const name of readdirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const { SLURM_CONF } = this.env;
        const environment = readFileSync(`/proc/${name}/environ`, "latin1").split("\0");
        if (
          !environment.includes(`SLURMD_NODENAME=${node}`) ||
          !environment.includes(`SLURM_CONF=${SLURM_CONF}`)
        )
          continue;
        found.add(Number(name));
        const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "latin1"))?.[1];
        // By its name: what it runs from may be a copy in memory, whose link has another.
        if (parent && readFileSync(`/proc/${parent}/comm`, "utf8").trim() === "slurmstepd")
          found.add(Number(parent));
      } catch {
        // It has ended in the meantime.
      }
    }
    return [...found];
  }

  /**
   * What a power cut does: the node's daemon and all processes on it end at once. They are halted first: a step daemon
   * that outlives its script for an instant would report that the script was killed, which a dead node cannot.
   */
  async crash(node: (typeof NODES)[number]): Promise<void> {
    const daemon = this.daemons.get(node);
    this.daemons.delete(node);
    daemon?.kill("SIGSTOP");
    for (const pid of this.processesOn(node)) kill(pid, "SIGSTOP");
    for (const pid of this.processesOn(node)) kill(pid);
    daemon?.kill("SIGKILL");
    if (daemon) await once(daemon, "exit");
    for (const pid of this.processesOn(node)) kill(pid);
  }

  /** Switches a crashed node on again. */
  boot(node: (typeof NODES)[number]): void {
    this.daemon("slurmd", ["-D", "-N", node], node);
  }

  /** Ends every daemon, and what is left of jobs. */
  async stop(): Promise<void> {
    for (const node of NODES) for (const pid of this.processesOn(node)) kill(pid);
    for (const daemon of this.daemons.values()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      daemon.kill("SIGTERM");
      const ended = once(daemon, "exit");
      await Promise.race([ended, setTimeout(5000).then(() => daemon.kill("SIGKILL"))]);
      await ended;
    }
  }
}

function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}
