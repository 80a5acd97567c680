npx tsc --noEmit -p . | head
rm -rf /tmp/team/scratch/rv; 
for w in "opt:rmsprop data:digits arch:mlp --data.n=100 --arch.width 16 --opt.lr 0.002 --opt.beta2 0.99 --opt.eps 1e-7 --opt.bias-correction --warm-start 5 --steps 60"; do
npx tsx src/cli/main.ts run $w --runs discrete central stationary ablated --eig.frequency 1 --eig.tol 1e-7 --out /tmp/team/scratch/rv --quiet 2>&1 | tail -30
python3 /tmp/team/scratch/sh.py; rm -rf /tmp/team/scratch/rv
done
