"""Makes the recorded reference that the losses of preference optimisation are compared with, step by step.

Needs a virtual environment with torch, transformers and peft, and what `make_reference.py` wrote; the tests read only
what it wrote.

    python make_dpo_reference.py

Trains the tiny random `llama` from its start adapter on pairs of answers for 20 steps, with the loss written out from the
paper (Rafailov et al. 2023, equation 7). The reference is the same model with the adapter switched off. Pairs, settings and
the loss, gradient norm, rewards and learning rate of each step go to `dpo.json`.
"""

import json
from pathlib import Path

import torch
from make_reference import VOCABULARY
from peft import PeftModel
from transformers import AutoModelForCausalLM, get_linear_schedule_with_warmup

HERE = Path(__file__).parent
PAIRS, STEPS, BATCH = 10, 20, 5
SETTINGS = {
    "beta": 0.3,
    "rank": 4,
    "alpha": 8.0,
    "learning_rate": 3e-3,
    "warmup_steps": 2,
    "weight_decay": 0.1,
    "max_gradient_norm": 0.5,
    "batch_size": BATCH,
    "epochs": STEPS * BATCH // PAIRS,
}


def make_pairs() -> list[dict]:
    generator = torch.Generator().manual_seed(3)

    def tokens(least: int, most: int) -> list[int]:
        length = int(torch.randint(least, most, (), generator=generator))
        return torch.randint(3, VOCABULARY, (length,), generator=generator).tolist()

    def answer(prompt: list[int]) -> dict:
        reply = tokens(2, 16)
        return {"ids": prompt + reply, "counts": [False] * len(prompt) + [True] * len(reply)}

    pairs = []
    for _ in range(PAIRS):
        prompt = tokens(3, 20)
        pairs.append({"chosen": answer(prompt), "rejected": answer(prompt)})
    return pairs


def log_probability(model: torch.nn.Module, text: dict) -> torch.Tensor:
    ids = torch.tensor([text["ids"]])
    scores = torch.log_softmax(model(input_ids=ids).logits[0, :-1], dim=-1)
    chosen = scores.gather(1, ids[0, 1:, None])[:, 0]
    return chosen[torch.tensor(text["counts"][1:])].sum()


def main() -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder = HERE / "llama"
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, folder / "adapter", is_trainable=True)
    pairs = make_pairs()
    with torch.no_grad(), model.disable_adapter():
        reference = [[log_probability(model, pair[side]) for side in ("chosen", "rejected")] for pair in pairs]
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        trainable, lr=SETTINGS["learning_rate"], weight_decay=SETTINGS["weight_decay"], betas=(0.9, 0.999), eps=1e-8
    )
    schedule = get_linear_schedule_with_warmup(optimizer, SETTINGS["warmup_steps"], STEPS)
    steps = []
    for step in range(STEPS):
        first = step * BATCH % PAIRS
        rewards = []
        for pair, (chosen, rejected) in zip(pairs[first : first + BATCH], reference[first : first + BATCH]):
            rewards.append(
                SETTINGS["beta"]
                * torch.stack(
                    [log_probability(model, pair["chosen"]) - chosen, log_probability(model, pair["rejected"]) - rejected]
                )
            )
        rewards = torch.stack(rewards)
        loss = -torch.nn.functional.logsigmoid(rewards[:, 0] - rewards[:, 1]).mean()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trainable, SETTINGS["max_gradient_norm"]).item()
        rate = schedule.get_last_lr()[0]
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        steps.append(
            {
                "loss": loss.item(),
                "gradient_norm": norm,
                "learning_rate": rate,
                "chosen": rewards[:, 0].mean().item(),
                "rejected": rewards[:, 1].mean().item(),
                "accuracy": (rewards[:, 0] > rewards[:, 1]).double().mean().item(),
            }
        )
    written = {"settings": SETTINGS, "pairs": pairs, "steps": steps}
    (HERE / "dpo.json").write_text(json.dumps(written) + "\n")
    print("loss", steps[0]["loss"], "to", steps[-1]["loss"])


if __name__ == "__main__":
    main()
