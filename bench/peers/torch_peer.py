"""python torch_peer.py FOLDER: PyTorch in float64 on the CPU, with torch.func, on one thread and on two.

Reads and writes the files that exchange.mjs describes. Every operation is measured by each method that PyTorch has
for it; the suite takes the fastest.
"""

import json
import math
import sys
import time
from pathlib import Path

import numpy
import torch
from torch.func import grad, jvp, linearize, vmap

HEAD_WIDTH = 64
NORM_EPS = 1e-6
MOST_SAMPLES = 11
BUDGET = 0.6
# A first call that takes this long counts: what it prepares is little beside it.
SLOW = 5.0

folder = Path(sys.argv[1])
problem = json.loads((folder / "problem.json").read_text())
numbers = torch.from_numpy(numpy.fromfile(folder / "problem.f64"))


def array_of(placed):
    size = math.prod(placed["shape"])
    return numbers[placed["start"] : placed["start"] + size].reshape(placed["shape"]).clone()


names = [placed["name"] for placed in problem["parameters"]]
weights = tuple(array_of(placed) for placed in problem["parameters"])
directions = [tuple(array_of(placed) for placed in one) for one in problem["directions"]]
arrays = {name: array_of(placed) for name, placed in problem["arrays"].items()}
options = problem["options"]
linear = torch.nn.functional.linear


def mlp(p):
    act = {"tanh": torch.tanh, "gelu": torch.nn.functional.gelu}[options["activation"]]
    first = act(linear(arrays["inputs"], p["1.weight"], p["1.bias"]))
    second = act(linear(first, p["3.weight"], p["3.bias"]))
    return linear(second, p["5.weight"], p["5.bias"])


def cnn(p):
    act, conv = torch.nn.functional.gelu, torch.nn.functional.conv2d

    def pool(x):
        n, channels, height, width = x.shape
        return x.reshape(n, channels, height // 2, 2, width // 2, 2).mean((3, 5))

    first = pool(act(conv(arrays["inputs"], p["0.weight"], padding=1)))
    second = pool(act(conv(first, p["3.weight"], padding=1)))
    hidden = act(linear(second.flatten(1), p["7.weight"]))
    return linear(hidden, p["9.weight"], p["9.bias"])


def vit(p):
    def norm(x, prefix):
        centred = x - x.mean(-1, keepdim=True)
        deviation = centred.square().sum(-1, keepdim=True).div(x.shape[-1] - 1).sqrt()
        return p[prefix + ".gamma"] * centred / (deviation + NORM_EPS) + p[prefix + ".beta"]

    heads = options["numHeads"]
    tokens = linear(
        norm(arrays["patches"], "to_patch_embedding.1"),
        p["to_patch_embedding.2.weight"],
        p["to_patch_embedding.2.bias"],
    )
    x = norm(tokens, "to_patch_embedding.3") + arrays["positions"]
    n, length, _ = x.shape
    for i in range(options["depth"]):
        layer = f"transformer.layers.{i}"
        joined = linear(norm(x, f"{layer}.0.norm"), p[f"{layer}.0.to_qkv.weight"])
        q, k, v = joined.reshape(n, length, 3, heads, HEAD_WIDTH).permute(2, 0, 3, 1, 4)
        seen = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(HEAD_WIDTH), -1) @ v
        x = x + linear(seen.transpose(1, 2).flatten(2), p[f"{layer}.0.to_out.weight"])
        ff = f"{layer}.1.net"
        hidden = torch.nn.functional.gelu(linear(norm(x, f"{ff}.0"), p[f"{ff}.1.weight"], p[f"{ff}.1.bias"]))
        x = x + linear(hidden, p[f"{ff}.3.weight"], p[f"{ff}.3.bias"])
    return linear(norm(x, "transformer.norm").mean(1), p["linear_head.weight"], p["linear_head.bias"])


def lstm(p):
    inputs = list(torch.nn.functional.embedding(arrays["inputs"].long(), p["embed.weight"]).unbind(1))
    for i in range(options["layers"]):
        w_in, w_out, b_in, b_out = (p[f"lstm.layers.{i}.{name}"] for name in ("Wih", "Whh", "bih", "bhh"))
        h, c, outputs = None, None, []
        for x in inputs:
            gates = x @ w_in + b_in + b_out
            if h is not None:
                gates = gates + h @ w_out
            enter, forget, cell, out = gates.chunk(4, -1)
            entering = torch.sigmoid(enter) * torch.tanh(cell)
            c = entering if c is None else torch.sigmoid(forget) * c + entering
            h = torch.sigmoid(out) * torch.tanh(c)
            outputs.append(h)
        inputs = outputs
    return linear(torch.stack(inputs, 1), p["linear.weight"], p["linear.bias"])


network = {"mlp": mlp, "cnn": cnn, "vit": vit, "lstm": lstm}[problem["architecture"]]


def loss(w):
    outputs = network(dict(zip(names, w)))
    rows = outputs.reshape(arrays["targets"].shape)
    return ((rows - arrays["targets"]).square() * arrays["rowWeights"]).sum()


gradient = grad(loss)


def hvp(w, v):
    return jvp(gradient, (w,), (v,))[1]


def third(w, u, v):
    """(Hu, D3L[u, v, .])"""
    return jvp(lambda at: hvp(at, u), (w,), (v,))


def dot(a, b):
    return sum((x * y).sum() for x, y in zip(a, b))


def stacked(vectors):
    return tuple(torch.stack(parts) for parts in zip(*vectors))


def rows(batch):
    """A batch of lists of arrays as a list of lists."""
    return [tuple(part[i] for part in batch) for i in range(len(batch[0]))]


k = len(directions)
pairs = [(i, j) for i in range(k) for j in range(i, k)]
diagonal = [at for at, (i, j) in enumerate(pairs) if i == j]


def joint_nested():
    results = [third(weights, directions[i], directions[j]) for i, j in pairs]
    return [gradient(weights), *(results[at][0] for at in diagonal), *(row for _, row in results)]


first_of_pairs = stacked([directions[i] for i, _ in pairs])
second_of_pairs = stacked([directions[j] for _, j in pairs])
all_directions = stacked(directions)


def joint_vmapped():
    products, thirds = vmap(lambda u, v: third(weights, u, v))(first_of_pairs, second_of_pairs)
    return [gradient(weights), *(rows(products)[at] for at in diagonal), *rows(thirds)]


def joint_linearized():
    """Reverse over reverse for Hu, since linearize takes no forward mode within; all u_i, u_j and not only i <= j."""

    def products_at(at):
        return vmap(lambda u: grad(lambda w: dot(gradient(w), u))(at))(all_directions)

    products, push = linearize(products_at, weights)
    by_direction = rows(vmap(push)(all_directions))
    thirds = [rows(of_direction) for of_direction in by_direction]
    return [gradient(weights), *rows(products), *(thirds[j][i] for i, j in pairs)]


def shared_linearized():
    _, push = linearize(gradient, weights)
    return lambda: [push(directions[0])]


def always(run):
    return lambda: run


METHODS = [
    ("gradient", "grad", always(lambda: [gradient(weights)])),
    ("hvp", "jvp of grad", always(lambda: [hvp(weights, directions[0])])),
    ("hvp", "grad of g·v", always(lambda: [grad(lambda w: dot(gradient(w), directions[0]))(weights)])),
    ("shared", "linearize", shared_linearized),
    ("joint", "nested jvp", always(joint_nested)),
    ("joint", "vmapped nested jvp", always(joint_vmapped)),
    ("joint", "linearize", always(joint_linearized)),
]


def measure(threads, operation, method, prepare):
    """Prints one line for the suite; returns the least milliseconds, infinity where it failed."""
    label = {"threads": threads, "operation": operation, "method": method}
    try:
        start = time.perf_counter()
        run = prepare()
        result = run()
        first = time.perf_counter() - start
    except (RuntimeError, NotImplementedError) as error:
        print(json.dumps({**label, "error": str(error).split("\n")[0]}), flush=True)
        return math.inf
    flat = torch.cat([part.reshape(-1) for vector in result for part in vector])
    file = f"{operation} {method}, {threads}.f64"
    flat.detach().numpy().tofile(folder / file)
    samples = [first] if first > SLOW else []
    while len(samples) < MOST_SAMPLES and sum(samples) < BUDGET:
        start = time.perf_counter()
        run()
        samples.append(time.perf_counter() - start)
    milliseconds = [1e3 * sample for sample in samples]
    print(json.dumps({**label, "file": file, "first": 1e3 * first, "samples": milliseconds}), flush=True)
    return min(milliseconds)


# Parts of PyTorch are loaded when they are first used: not on the clock.
cube, one = grad(lambda x: x**3), torch.ones((), dtype=torch.float64)
jvp(cube, (one,), (one,))
linearize(cube, one)

best = {}
for threads in (1, 2):
    torch.set_num_threads(threads)
    for operation, method, prepare in METHODS:
        # What was far behind on one thread will not lead on two.
        if threads > 1 and best.get((operation, method), 0) > 3 * best.get(operation, math.inf):
            continue
        milliseconds = measure(threads, operation, method, prepare)
        best[operation, method] = milliseconds
        best[operation] = min(milliseconds, best.get(operation, math.inf))
