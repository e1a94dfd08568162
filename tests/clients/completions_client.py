"""Asks models through the OpenAI Python SDK as a user's script would, and checks every answer.

Usage: completions_client.py BASE_URL API_KEY MODEL [MODEL ...]

The first model is a base model; the others are tuned ones or checkpoints.
"""

import sys

from openai import BadRequestError, NotFoundError, OpenAI

MESSAGES = [
    {"role": "system", "content": "Answer briefly."},
    {"role": "user", "content": [{"type": "text", "text": "What is "}, {"type": "text", "text": "your name?"}]},
]


def refused(kind, call):
    """The error that a call must end with."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} expected")


def chat(client, model):
    """A chat is the same whole and streamed; gives its tokens' probabilities, which no two models have alike."""
    asked = {"model": model, "messages": MESSAGES, "max_tokens": 24, "temperature": 0, "seed": 3, "logprobs": True}
    whole = client.chat.completions.create(**asked)
    assert whole.object == "chat.completion" and whole.model == model, whole
    (choice,) = whole.choices
    assert choice.message.role == "assistant" and choice.finish_reason in {"stop", "length"}, choice
    usage = whole.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage
    assert 0 < usage.prompt_tokens and usage.completion_tokens <= 24, usage

    text, finish, counted, roles = "", None, None, []
    for chunk in client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}):
        assert chunk.object == "chat.completion.chunk", chunk
        if chunk.usage:
            counted = chunk.usage
            assert not chunk.choices, chunk
        for part in chunk.choices:
            roles += [part.delta.role] if part.delta.role else []
            text += part.delta.content or ""
            finish = part.finish_reason or finish
    assert text == choice.message.content and finish == choice.finish_reason, (text, choice)
    assert counted == usage and roles == ["assistant"], (counted, roles)
    assert whole.system_fingerprint.startswith("fp_"), whole
    return tuple(token.logprob for token in choice.logprobs.content)


def drawing(client, model):
    """The same seed draws the same, several answers differ, and probabilities are told."""
    asked = {"model": model, "messages": MESSAGES, "max_tokens": 16, "temperature": 2, "n": 3, "seed": 11}
    first = [choice.message.content for choice in client.chat.completions.create(**asked).choices]
    again = [choice.message.content for choice in client.chat.completions.create(**asked).choices]
    assert first == again and len(set(first)) > 1, (first, again)
    other = client.chat.completions.create(**{**asked, "seed": 12})
    assert [choice.message.content for choice in other.choices] != first

    told = client.chat.completions.create(**{**asked, "n": 1, "logprobs": True, "top_logprobs": 3})
    (choice,) = told.choices
    tokens = choice.logprobs.content
    assert len(tokens) == told.usage.completion_tokens, told
    assert all(len(token.top_logprobs) == 3 and token.logprob <= 0 for token in tokens), tokens
    assert b"".join(bytes(token.bytes) for token in tokens).decode("utf-8", "replace") == choice.message.content


def texts(client, model):
    asked = {"model": model, "prompt": "The first", "max_tokens": 12, "temperature": 0}
    whole = client.completions.create(**asked, logprobs=2)
    assert whole.object == "text_completion" and len(whole.choices[0].logprobs.tokens) > 0, whole
    streamed = "".join(chunk.choices[0].text for chunk in client.completions.create(**asked, stream=True))
    assert streamed == whole.choices[0].text, (streamed, whole)
    text = whole.choices[0].text
    stop = text[2:6]
    stopped = client.completions.create(**asked, stop=[stop])
    assert stopped.choices[0].text == text[: text.index(stop)], (stopped, text)
    assert stopped.choices[0].finish_reason == "stop"


def errors(client, model):
    def ask(**changes):
        return client.chat.completions.create(**{"model": model, "messages": MESSAGES, **changes})

    error = refused(NotFoundError, lambda: ask(model="ft:nobody:attune::0123456789ab"))
    assert error.code == "model_not_found" and error.param == "model", error.body
    error = refused(BadRequestError, lambda: ask(max_tokens=10_000_000))
    assert error.code == "context_length_exceeded" and error.param == "messages", error.body
    tool = {"type": "function", "function": {"name": "look", "parameters": {}}}
    error = refused(BadRequestError, lambda: ask(tools=[tool]))
    assert error.param == "tools", error.body
    error = refused(BadRequestError, lambda: ask(response_format={"type": "json_object"}))
    assert error.param == "response_format", error.body
    error = refused(BadRequestError, lambda: ask(temperature=3))
    assert error.param == "temperature" and set(error.body) == {"message", "type", "param", "code"}, error.body


def main():
    base_url, api_key, base, *others = sys.argv[1:]
    client = OpenAI(base_url=base_url, api_key=api_key, max_retries=0)
    answers = {model: chat(client, model) for model in [base, *others]}
    drawing(client, base)
    texts(client, base)
    errors(client, base)
    assert all(answers.values()) and len(set(answers.values())) == len(answers), answers
    print(f"{len(answers)} models answered")


if __name__ == "__main__":
    main()
