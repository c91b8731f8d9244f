"""Small language models of LLaMA's kind, and what they are asked: here, and where PyTorch's answers are recorded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
import llama

SIZES = {
    "vocab_size": 41, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 64,
}  # fmt: skip
LONGER = {
    "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "grouped": {"num_key_value_heads": 2, "tie_word_embeddings": True, "rope_theta": 500.0, "rms_norm_eps": 1e-5},
    "one shared head": {"num_key_value_heads": 1, "head_dim": 12, "attention_bias": True, "mlp_bias": True},
    "longer": {"num_key_value_heads": 2, "rope_theta": 500.0, "rope_scaling": LONGER},
    "linear": {"rope_scaling": {"rope_type": "linear", "factor": 2.0}},
}
PROMPT, COUNT, SEED = [1, 2, 3, 5, 8], 24, 3
TOKENS = [[7 * i % 41 for i in range(12)], [11 * i % 41 for i in range(12)]]
SAMPLINGS: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "all": {"temperature": 1.0},
    "some": {"temperature": 0.8, "top_k": 10, "top_p": 0.9},
    "few": {"temperature": 1.5, "top_p": 0.5},
}


def model_of(name: str) -> Any:
    """The model of a case; every parameter is drawn, so that each of them matters."""
    llama.torch.manual_seed(0)
    model = llama.Decoder(llama.Config(**SIZES, **CONFIGS[name])).start()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            llama.nn.init.normal_(parameter, mean=1.0, std=0.3)
    return model.eval()
