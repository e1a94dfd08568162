"""Makes the recorded reference that the trainer's losses are compared with, step by step.

Needs a virtual environment with torch, transformers and peft; the tests read only what it wrote.

    python make_reference.py

For each family: a tiny random model folder, a start adapter, and the loss, gradient norm and learning rate of each of
30 steps of LoRA training with PyTorch and PEFT (two micro-batches a step, warm-up, weight decay, clipping, no dropout,
no shuffling). The examples are shared and stand in `examples.json` as token ids, with a flag for each token that counts.
"""

import json
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    get_linear_schedule_with_warmup,
)

HERE = Path(__file__).parent
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
VOCABULARY, EXAMPLES, STEPS, BATCH, PARTS = 64, 12, 30, 4, 2
SETTINGS = {
    "rank": 4,
    "alpha": 8.0,
    "learning_rate": 5e-3,
    "warmup_steps": 3,
    "weight_decay": 0.1,
    "max_gradient_norm": 0.5,
    "batch_size": BATCH,
    "gradient_accumulation": PARTS,
    "epochs": STEPS * BATCH // EXAMPLES,
}
SHAPE = dict(
    vocab_size=VOCABULARY,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=64,
    initializer_range=0.2,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
)
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 1000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
YARN = {"rope_type": "yarn", "rope_theta": 1000.0, "factor": 2.0, "original_max_position_embeddings": 32}
MODELS = {
    "llama": lambda: LlamaForCausalLM(
        LlamaConfig(**SHAPE, num_key_value_heads=2, tie_word_embeddings=False, rope_parameters=LLAMA3)
    ),
    "qwen2": lambda: Qwen2ForCausalLM(
        Qwen2Config(**SHAPE, num_key_value_heads=2, tie_word_embeddings=True, rope_parameters=YARN)
    ),
    "qwen3": lambda: Qwen3ForCausalLM(
        Qwen3Config(**SHAPE, num_key_value_heads=1, head_dim=12, tie_word_embeddings=False)
    ),
}


def make_examples() -> list[dict]:
    generator = torch.Generator().manual_seed(1)
    examples = []
    for _ in range(EXAMPLES):
        length = int(torch.randint(5, 40, (), generator=generator))
        ids = torch.randint(3, VOCABULARY, (length,), generator=generator).tolist()
        counts = (torch.rand(length, generator=generator) < 0.5).tolist()
        counts[-1] = True
        examples.append({"ids": ids, "counts": counts})
    return examples


def loss_sum(model: torch.nn.Module, part: list[dict]) -> torch.Tensor:
    longest = max(len(example["ids"]) for example in part)
    ids = torch.zeros(len(part), longest, dtype=torch.long)
    mask = torch.zeros(len(part), longest, dtype=torch.long)
    labels = torch.full((len(part), longest), -100)
    for row, example in enumerate(part):
        length = len(example["ids"])
        ids[row, :length] = torch.tensor(example["ids"])
        mask[row, :length] = 1
        counts = torch.tensor(example["counts"])
        labels[row, :length] = torch.where(counts, ids[row, :length], -100)
    logits = model(input_ids=ids, attention_mask=mask).logits
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, VOCABULARY), labels[:, 1:].reshape(-1), ignore_index=-100, reduction="sum"
    )


def record(name: str, examples: list[dict]) -> None:
    torch.manual_seed(sum(map(ord, name)))
    base = MODELS[name]()
    with torch.no_grad():
        # Biases and norms begin at 0 and 1, which would hide mistakes with them.
        for key, parameter in base.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    base.save_pretrained(folder)
    config = LoraConfig(
        r=SETTINGS["rank"],
        lora_alpha=int(SETTINGS["alpha"]),
        lora_dropout=0.0,
        target_modules=TARGETS,
        task_type="CAUSAL_LM",
        init_lora_weights=False,
    )
    model = get_peft_model(base, config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_" in key:
                parameter.mul_(0.3)
    model.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    model.train()
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        trainable, lr=SETTINGS["learning_rate"], weight_decay=SETTINGS["weight_decay"], betas=(0.9, 0.999), eps=1e-8
    )
    schedule = get_linear_schedule_with_warmup(optimizer, SETTINGS["warmup_steps"], STEPS)
    steps = []
    for step in range(STEPS):
        first = step * BATCH % EXAMPLES
        batch = examples[first : first + BATCH]
        targets = sum(sum(example["counts"][1:]) for example in batch)
        size = BATCH // PARTS
        total = 0.0
        for part in range(PARTS):
            loss = loss_sum(model, batch[part * size : (part + 1) * size]) / targets
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(trainable, SETTINGS["max_gradient_norm"]).item()
        rate = schedule.get_last_lr()[0]
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        steps.append({"loss": total, "gradient_norm": norm, "learning_rate": rate})
    (folder / "steps.json").write_text(json.dumps(steps, indent=1) + "\n")
    print(name, "loss", steps[0]["loss"], "to", steps[-1]["loss"])


def main() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    examples = make_examples()
    (HERE / "examples.json").write_text(json.dumps({"settings": SETTINGS, "examples": examples}) + "\n")
    for name in MODELS:
        record(name, examples)


if __name__ == "__main__":
    main()
