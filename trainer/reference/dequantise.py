"""Prints, for each block format, the SHA-256 of what the package `gguf` makes of pseudo-random blocks.

    venv/bin/pip install gguf && venv/bin/python dequantise.py

The blocks are those of the test beside src/gguf/tensor_type.rs, which holds these digests.
"""

import hashlib

import numpy
from gguf import GGMLQuantizationType as Type, dequantize

# Format, bytes of a block, where its 16-bit floats begin.
FORMATS = [
    (Type.Q4_0, 18, [0]),
    (Type.Q4_1, 20, [0, 2]),
    (Type.Q5_0, 22, [0]),
    (Type.Q5_1, 24, [0, 2]),
    (Type.Q8_0, 34, [0]),
    (Type.Q2_K, 84, [80, 82]),
    (Type.Q3_K, 110, [108]),
    (Type.Q4_K, 144, [0, 2]),
    (Type.Q5_K, 176, [0, 2]),
    (Type.Q6_K, 210, [208]),
]
BLOCKS = 64


def blocks(size, floats):
    state, out = 1, bytearray()
    for place in range(BLOCKS * size):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        byte = state >> 56
        # Without its highest bit the exponent is that of a number below 2.
        out.append(byte & 0xBF if place % size - 1 in floats else byte)
    return numpy.frombuffer(bytes(out), dtype=numpy.uint8).reshape(BLOCKS, size)


for kind, size, floats in FORMATS:
    values = dequantize(blocks(size, floats), kind).astype("<f4")
    print(kind.name, hashlib.sha256(values.tobytes()).hexdigest())
