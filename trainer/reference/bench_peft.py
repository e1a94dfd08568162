"""Measures LoRA training with PyTorch and PEFT: the peer of the example `bench`; `cargo xtask bench lora` runs both.

Needs a virtual environment with torch, transformers and peft. The model's folder and the adapter's are those that the
example made, so that every loss can be compared. Weights are read as f32, and f32 is what is computed in.

    python bench_peft.py --model DIR --adapter DIR [--threads 2] [--steps 8] [--batch 8] [--length 256] [--checkpointing]
"""

import argparse
import resource
import statistics
import time

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def user_seconds() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--checkpointing", action="store_true")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    base = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32)
    base.config.use_cache = False
    model = PeftModel.from_pretrained(base, arguments.adapter, is_trainable=True)
    if arguments.checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=2e-4, weight_decay=0.0)
    vocabulary = base.config.vocab_size
    tokens = torch.tensor(
        [
            [(row * 977 + place * 131) % vocabulary for place in range(arguments.length)]
            for row in range(arguments.batch)
        ]
    )

    losses, seconds, user = [], [], 0.0
    for step in range(max(arguments.steps, 2)):
        start, before = time.perf_counter(), user_seconds()
        loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if step > 0:
            seconds.append(time.perf_counter() - start)
            user += user_seconds() - before

    print(
        f"losses={','.join(map(str, losses))} tokens={tokens.numel()} step_seconds={statistics.median(seconds):.4f}"
        f" user_seconds={user / len(seconds):.3f}"
        f" peak_bytes={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}"
    )


if __name__ == "__main__":
    main()
