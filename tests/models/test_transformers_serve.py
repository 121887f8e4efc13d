"""A real OpenAI-compatible server with tiny models made on the spot."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from tiny import conversation, tiny_model


def post(url, **body):
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read())


def test_one_server_serves_several_models_and_counts_their_tokens(transformers_server, tmp_path):
    from transformers import AutoTokenizer

    for style in ("chatml", "llama3"):
        folder = tiny_model(tmp_path / style, template=style)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        messages = conversation(1)
        reply = post(
            f"{transformers_server}/chat/completions",
            model=str(folder),
            messages=messages,
            max_completion_tokens=7,
            temperature=0,
        )
        text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        count = len(tokenizer(text, add_special_tokens=False).input_ids)
        assert reply["usage"]["prompt_tokens"] == count
        assert reply["usage"]["completion_tokens"] <= 7
        assert reply["choices"][0]["finish_reason"] in {"stop", "length"}
