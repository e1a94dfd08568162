"""Writes MODEL/greedy.json: what transformers decodes greedily with the models that make_reference.py made, without and with
their adapters, which are added to the weights here. Run it after make_reference.py; it needs no peft.

    python make_greedy.py
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
NEW = 24
# Two numbers may be rounded differently, so what is to be compared must lead by far more than that.
LEAST_LEAD = 1e-3


def decode(model, prompt):
    ids = torch.tensor([prompt])
    with torch.no_grad():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=NEW,
            pad_token_id=0,
            eos_token_id=None,
            output_scores=True,
            return_dict_in_generate=True,
        )
    leads = [score[0].topk(2).values for score in out.scores]
    lead = min((top[0] - top[1]).item() for top in leads)
    return out.sequences[0, len(prompt) :].tolist(), lead


def load(folder, adapted):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    if adapted:
        config = json.loads((folder / "adapter" / "adapter_config.json").read_text())
        tensors = load_file(folder / "adapter" / "adapter_model.safetensors")
        for name, a in tensors.items():
            if name.endswith(".lora_A.weight"):
                module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
                update = tensors[name.replace("lora_A", "lora_B")] @ a * config["lora_alpha"] / config["r"]
                model.get_submodule(module).weight.data += update
    return model


def record(name):
    folder = HERE / name
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    cases = []
    for adapted in (False, True):
        model = load(folder, adapted)
        vocabulary = model.config.vocab_size
        while sum(case["adapter"] == adapted for case in cases) < 4:
            # One is longer than what goes through a model at once.
            length = 200 if len(cases) % 4 == 3 else int(torch.randint(1, 40, (), generator=generator))
            prompt = torch.randint(3, vocabulary, (length,), generator=generator).tolist()
            answer, lead = decode(model, prompt)
            if lead >= LEAST_LEAD:
                cases.append({"adapter": adapted, "prompt": prompt, "answer": answer})
    (folder / "greedy.json").write_text(json.dumps(cases) + "\n")
    print(name, [len(case["prompt"]) for case in cases], [case["answer"][:6] for case in cases])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in ("llama", "qwen2", "qwen3"):
        record(name)
