"""Writes the files in tests/data/files with numpy, struct, gzip and zipfile: python3 tests/data/make-files.py

Nothing here shares code with the readers under test. expected.json says what each array holds.
"""

import gzip
import io
import json
import math
import pathlib
import struct
import zipfile

import numpy as np

FILES = pathlib.Path(__file__).parent / "files"
DTYPES = ["<f8", ">f8", "<f4", ">f4", "<f2", ">f2", "|i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8",
          "|u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8", "|b1"]


def values(dtype):
    """Six values of a type, its extremes among them (int64 within 2**53)."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return [0, 1, 1, 0, 1, 0]
    if kind.kind == "f":
        info = np.finfo(kind)
        return [0.5, -0.0, math.inf, math.nan, float(info.max), float(info.smallest_subnormal)]
    info = np.iinfo(kind)
    return [0, 1, 2, max(int(info.min), -(2**53)), min(int(info.max), 2**53), 77]


def listed(array):
    """Values in C order as JSON can hold them: non-finite numbers and minus zero as text."""
    flat = [float(v) for v in np.asarray(array).ravel(order="C")]
    return [v if math.isfinite(v) and not (v == 0 and math.copysign(1, v) < 0) else str(v) for v in flat]


def pixel(image, channel, row, column):
    return (37 * image + 11 * channel + 3 * row + 5 * column) % 256


FILES.mkdir(exist_ok=True)
arrays = {}
for dtype in DTYPES:
    arrays[dtype[1:] + ("_big" if dtype[0] == ">" else "")] = np.array(values(dtype), dtype=dtype).reshape(2, 3)
arrays["fortran_2d"] = np.asfortranarray(np.arange(12.0).reshape(3, 4))
arrays["fortran_3d"] = np.asfortranarray(np.arange(24, dtype=">i4").reshape(2, 3, 4))
arrays["fortran_1d"] = np.asfortranarray(np.arange(5, dtype="<u2"))
arrays["scalar"] = np.array(-2.25)
arrays["scalar_int"] = np.array(6)
arrays["empty"] = np.zeros((0, 7), dtype="<f4")
arrays["nested/name.w"] = np.linspace(0, 1, 9)
arrays["größe"] = np.array([1.0, 2.0])
np.savez(FILES / "stored.npz", **arrays)
np.savez_compressed(FILES / "compressed.npz", **arrays)
expected = {name: {"dtype": a.dtype.str, "shape": list(a.shape), "data": listed(a)} for name, a in arrays.items()}
(FILES / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")


class Unseekable(io.RawIOBase):
    """A stream that forces the zip writer to put lengths and checksums behind the data."""

    def __init__(self, target):
        self.target = target

    def writable(self):
        return True

    def write(self, data):
        return self.target.write(data)


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


with open(FILES / "streamed.npz", "wb") as target:
    with zipfile.ZipFile(Unseekable(target), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"lengths follow the data"
        archive.writestr("a.npy", npy(np.arange(4.0)))
        archive.writestr("b.npy", npy(np.arange(6).reshape(2, 3)))

for major in (1, 2, 3):
    (FILES / f"version-{major}.npy").write_bytes(npy(np.arange(6.0).reshape(3, 2), version=(major, 0)))
refused = {
    "object": np.array([{}, 1], dtype=object), "unicode": np.array(["a", "bc"]), "bytes": np.array([b"a", b"bc"]),
    "complex": np.array([1j]), "datetime": np.array(["2020-01-01"], dtype="<M8[D]"),
    "structured": np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]), "void": np.zeros(2, dtype="|V8"),
    "longdouble": np.ones(2, dtype=np.longdouble), "wide_int": np.array([1, 2**53 + 1]),
    "wide_int_negative": np.array([-(2**53) - 1]), "wide_uint": np.array([2**64 - 1], dtype=">u8"),
}
for name, array in refused.items():
    (FILES / f"refused-{name}.npy").write_bytes(npy(array))

n = 23
labels = [(3 * i) % 10 for i in range(n)]
images = bytes(pixel(i, 0, y, x) for i in range(n) for y in range(28) for x in range(28))
mnist = FILES / "MNIST"
mnist.mkdir(exist_ok=True)
for prefix in ("train", "t10k"):
    body = struct.pack(">4B3I", 0, 0, 8, 3, n, 28, 28) + images
    (mnist / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(body, mtime=0))
    (mnist / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, n) + bytes(labels))

cifar = np.array([[[[pixel(i, c, y, x) for c in range(3)] for x in range(32)] for y in range(32)] for i in range(n)])
np.savez_compressed(FILES / "CIFAR10.npz", train_x=cifar.astype(np.float32), train_y=np.array(labels, dtype=np.int32),
                    test_x=cifar[:12].astype(np.float32), test_y=np.array(labels[:12], dtype=np.int32))

sentences = np.array([[(i * 1009 + t) % 30522 if t < 10 + i else 0 for t in range(66)] for i in range(14)])
sentiment = np.array([1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0])
np.savez_compressed(FILES / "SST2.npz", train_x=sentences, train_y=sentiment,
                    test_x=sentences[:3], test_y=np.full(3, -1))

# Fine archives that numpy itself does not write: every length and offset in ZIP64's extra fields, the directory in
# ZIP64's end record; and one with all sorts of things beside the arrays that are wanted.
limit, count = zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT
zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 1, 1
with zipfile.ZipFile(FILES / "zip64.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    for name in ("a", "b"):
        entry = zipfile.ZipInfo(f"{name}.npy")
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, npy(np.arange(4.0) if name == "a" else np.arange(6).reshape(2, 3)))
zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = limit, count
with zipfile.ZipFile(FILES / "beside.npz", "w") as archive:
    for name, content in {
        "README.md": b"what is what\n", "plots/": b"", "plots/loss.svg": b"<svg/>", "a.npy": npy(np.arange(4.0)),
        "names.npy": npy(np.array(["a", "bc"])), "records.npy": npy(np.array([{}, 1], dtype=object)),
        "dates.npy": npy(np.array(["2020-01-01"], dtype="<M8[D]")), "empty": b"", "packed.npy": b"\x93NUMPY",
    }.items():
        archive.writestr(zipfile.ZipInfo(name), content)
    squeezed = zipfile.ZipInfo("squeezed.txt")
    squeezed.compress_type = zipfile.ZIP_LZMA
    archive.writestr(squeezed, b"a method that is not read" * 9)

# by-others.safetensors is made where the package safetensors is installed, by its save_file.
try:
    from safetensors.numpy import save_file
except ImportError:
    print("without the package safetensors by-others.safetensors stays as it is")
else:
    save_file({"f": np.float32([1.5, -2]), "i": np.int64([[3], [4]]), "h": np.float16([0.5]), "z": np.zeros((0, 2)),
               "b": np.array([True, False]), "d": np.array([3.25])},
              FILES / "by-others.safetensors", metadata={"format": "pt"})
