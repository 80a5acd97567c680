"""python reference_peer.py FOLDER FLAGS…: main.py of the authors' code in FOLDER, on a CPU and in float64.

That code moves tensors to a GPU and rounds to float32 where it likes: here both do nothing.
"""

import os
import runpy
import sys

import torch


def stay(tensor, *_, **__):
    return tensor


def main():
    folder = sys.argv[1]
    torch.set_default_dtype(torch.float64)
    torch.Tensor.cuda = stay
    torch.nn.Module.cuda = stay
    torch.Tensor.float = torch.Tensor.double
    torch.nn.Module.float = torch.nn.Module.double
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = ["main.py", *sys.argv[2:]]
    runpy.run_path("main.py", run_name="__main__")


main()
