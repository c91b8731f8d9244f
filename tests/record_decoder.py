"""Records what the model that everybody uses, `LlamaForCausalLM`, makes of the checkpoints that our example writes.

    python tests/record_decoder.py --backend torch

With PyTorch, `transformers` and `safetensors` installed. Writes tests/data/decoder.json.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
import transformers

import decoder_cases as cases


def recorded(name: str) -> dict[str, Any]:
    """The logits of all tokens, and what follows the prompt."""
    with tempfile.TemporaryDirectory() as folder:
        cases.llama.save(cases.model_of(name), folder)
        model = transformers.LlamaForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        logits = model(torch.tensor(cases.TOKENS)).logits
    return {
        "logits": [[[round(x, 6) for x in token] for token in row] for row in logits.tolist()],
        "tokens": {sampling: written(model, **options) for sampling, options in cases.SAMPLINGS.items()},
    }


def written(model: Any, temperature: float, top_k: int = 0, top_p: float = 1.0) -> list[int]:
    """What follows the prompt."""
    torch.manual_seed(cases.SEED)
    options = {"do_sample": True, "temperature": temperature, "top_k": top_k, "top_p": top_p}
    prompt = torch.tensor([cases.PROMPT])
    chosen: dict[str, Any] = options if temperature else {"do_sample": False}
    tokens = model.generate(prompt, max_new_tokens=cases.COUNT, pad_token_id=0, **chosen)
    found: list[int] = tokens[0, prompt.shape[1] :].tolist()
    return found


def main() -> None:
    if cases.llama.torch is not torch:
        raise SystemExit("the example runs on mini_torch: say --backend torch")
    lines = [f"{json.dumps(name)}: {json.dumps(recorded(name))}" for name in cases.CONFIGS]
    (Path(__file__).parent / "data" / "decoder.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
