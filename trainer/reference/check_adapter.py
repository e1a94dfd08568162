"""Loads an adapter that this trainer wrote in PEFT and compares the scores of both programs.

Needs a virtual environment with torch, transformers and peft, and the example `logits` built.

    python check_adapter.py MODEL ADAPTER LOGITS_PROGRAM [--tokens 1,5,9]

MODEL and ADAPTER are folders (for example a run directory's `adapter`); LOGITS_PROGRAM is the built example
(`target/release/examples/logits`). Fails if any score differs by more than 1e-4.
"""

import argparse
import json
import subprocess
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("adapter")
    parser.add_argument("program")
    parser.add_argument("--tokens", default="1,5,9,30,7,44,12,3,3,60,21,2")
    arguments = parser.parse_args()

    answer = subprocess.run(
        [arguments.program, arguments.model, arguments.adapter, arguments.tokens], check=True, capture_output=True
    )
    ours = torch.tensor(json.loads(answer.stdout))
    base = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32)
    tokens = torch.tensor([[int(token) for token in arguments.tokens.split(",")]])
    with torch.no_grad():
        bare = base(input_ids=tokens).logits[0].clone()
        model = PeftModel.from_pretrained(base, arguments.adapter).eval()
        theirs = model(input_ids=tokens).logits[0]
    difference = (ours - theirs).abs().max().item()
    effect = (theirs - bare).abs().max().item()
    print(f"largest difference {difference:.2e}, largest effect of the adapter {effect:.2e}")
    if not difference <= 1e-4:
        sys.exit("the scores differ by more than 1e-4")
    if not effect > 1e-3:
        sys.exit("the adapter has no effect, so equal scores say nothing")


if __name__ == "__main__":
    main()
