"""A language model of LLaMA's kind: reads a checkpoint as it is found in the world, and writes text with it.

    python examples/llama.py FOLDER --prompt "Once upon a time"
    python examples/llama.py FOLDER --prompt "Once upon a time" --backend torch  # PyTorch: the same lines and text

FOLDER holds config.json, the weights (model.safetensors, or the shards that model.safetensors.index.json lists) and,
if words are wanted instead of bytes, tokenizer.json. `examples/decoder.py` trains such a model and makes such a folder.

The model reads tokens, numbers that stand for pieces of text, and says for each how likely every token is to come
next. To write, take one of the likely ones, append it, and ask again. Each layer asks two things: attention, what do
the tokens before mean for this one; and a small network, what follows from that. What is added to the transformer of
2017 each has a class below. Source: Touvron et al. 2023, "LLaMA: open and efficient foundation language models".
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from frame import BACKENDS, needed, torch

nn, functional = torch.nn, torch.nn.functional
safetensors = needed("safetensors.torch" if torch.__name__ == "torch" else "mini_torch.safetensors", "safetensors")


# ---- what config.json says ------------------------------------------------------------------------------------------
@dataclasses.dataclass
class Config:
    """The sizes of a model, by the names and with the defaults of config.json."""

    vocab_size: int = 32000
    hidden_size: int = 4096
    intermediate_size: int = 11008
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int = 0  # 0: as many as there are heads
    head_dim: int = 0  # 0: the heads share hidden_size
    max_position_embeddings: int = 2048
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    mlp_bias: bool = False
    tie_word_embeddings: bool = False
    eos_token_id: int | list[int] | None = None

    def __post_init__(self) -> None:
        self.num_key_value_heads = self.num_key_value_heads or self.num_attention_heads
        self.head_dim = self.head_dim or self.hidden_size // self.num_attention_heads
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_attention_heads={self.num_attention_heads} heads cannot share "
                f"num_key_value_heads={self.num_key_value_heads} evenly: it must be a divisor"
            )

    @classmethod
    def read(cls, path: Path) -> Config:
        """What `path`, a config.json, says. Errors: ValueError for a model of another kind."""
        given = json.loads(path.read_text(encoding="utf-8"))
        for name, here in {"model_type": "llama", "hidden_act": "silu"}.items():
            if given.get(name, here) != here:
                raise ValueError(f"{path}: {name} is {given[name]!r}; what is built here is {here!r}")
        rope = given.pop("rope_parameters", None)  # what newer files have for rope_theta and rope_scaling
        if rope:
            given.update(rope_theta=rope.get("rope_theta", cls.rope_theta), rope_scaling=rope)
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: given[name] for name in names if given.get(name) is not None})

    def write(self, path: Path) -> None:
        """The file that `read` reads, and other programs do."""
        kind = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu"}
        path.write_text(json.dumps({**kind, **dataclasses.asdict(self)}, indent=2) + "\n", encoding="utf-8")


# ---- the parts ------------------------------------------------------------------------------------------------------
def linear(inputs: int, outputs: int, bias: bool = False) -> Any:
    """x Wᵀ; W comes from a file, or from `Decoder.start`: it is not drawn here."""
    return nn.utils.skip_init(nn.Linear, inputs, outputs, bias=bias)


class Rotary(nn.Module):
    """Where a token stands, as a rotation: what queries and keys answer each other depends on how far apart they are.

    The numbers of a head are coordinates in planes (number i and number i + head_dim / 2 make one). At position p plane
    i is turned by p · thetaⁱ, θᵢ = rope_theta^(-2i / head_dim); turns by p and by q differ by p − q.
    Source: Su et al. 2021, "RoFormer: enhanced transformer with rotary position embedding".
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        even = torch.arange(0, config.head_dim, 2, dtype=torch.float32)
        speeds = 1.0 / config.rope_theta ** (even / config.head_dim)
        self.register_buffer("speeds", scaled(speeds, config.rope_scaling), persistent=False)

    def forward(self, start: int, end: int) -> tuple[Any, Any]:
        """cos and sin for the positions from `start` to before `end`: (positions, head_dim), the sin with its signs."""
        angles = torch.outer(torch.arange(start, end, dtype=torch.float32), self.speeds)
        cos, sin = angles.cos(), angles.sin()
        return torch.cat((cos, cos), -1), torch.cat((-sin, sin), -1)


def scaled(speeds: Any, scaling: dict[str, Any] | None) -> Any:
    """The speeds for texts longer than those of the training, as LLaMA 3.1 slows them: slow turns by `factor`, fast
    ones, which see the neighbours only, not at all, and those in between in between."""
    kind = (scaling or {}).get("rope_type", (scaling or {}).get("type", "default"))
    if scaling is None or kind == "default":
        return speeds
    if kind == "linear":
        return speeds / scaling["factor"]
    if kind != "llama3":
        raise ValueError(f"rope_scaling of type {kind!r}: what is built here is 'default', 'linear' and 'llama3'")
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    turns = scaling["original_max_position_embeddings"] * speeds / (2 * math.pi)
    fast = ((turns - low) / (high - low)).clamp(0, 1)
    return (1 - fast) * speeds / scaling["factor"] + fast * speeds


def rotate(x: Any, cos: Any, sin: Any) -> Any:
    """Each plane turned: (a, b) becomes (a cos − b sin, b cos + a sin)."""
    return x * cos + x.roll(x.shape[-1] // 2, -1) * sin


class Cache:
    """The keys and values of all tokens so far, by layer. With them a new token costs one token's work, not all's.

    There is room for `capacity` tokens from the start. What attention gets are views of it: nothing is copied again.
    """

    def __init__(self, config: Config, capacity: int, rows: int = 1) -> None:
        shape = (2, rows, config.num_key_value_heads, capacity, config.head_dim)
        self.layers = [torch.empty(shape) for _ in range(config.num_hidden_layers)]
        self.capacity, self.length = capacity, 0

    def extend(self, layer: int, k: Any, v: Any) -> tuple[Any, Any]:
        """All keys and values of a layer, (rows, heads, tokens, head_dim), after it got new ones."""
        keys, values = self.layers[layer]
        new = k.shape[2]
        keys.narrow(2, self.length, new).copy_(k)
        values.narrow(2, self.length, new).copy_(v)
        return keys.narrow(2, 0, self.length + new), values.narrow(2, 0, self.length + new)


class Attention(nn.Module):
    """Each token's query is answered by the keys of those before it; it takes the mean of their values accordingly.

    Several query heads may share a head of keys and values, which makes the cache so much smaller.
    Source: Ainslie et al. 2023, "GQA: training generalized multi-query transformer models from multi-head checkpoints".
    """

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.layer, self.head_dim = layer, config.head_dim
        inner, shared = (n * config.head_dim for n in (config.num_attention_heads, config.num_key_value_heads))
        self.q_proj = linear(config.hidden_size, inner, config.attention_bias)
        self.k_proj = linear(config.hidden_size, shared, config.attention_bias)
        self.v_proj = linear(config.hidden_size, shared, config.attention_bias)
        self.o_proj = linear(inner, config.hidden_size, config.attention_bias)

    def forward(self, x: Any, rotation: tuple[Any, Any], mask: Any, cache: Cache | None) -> Any:
        rows, length, _ = x.shape
        heads = (rows, length, -1, self.head_dim)
        q = rotate(self.q_proj(x).view(heads).transpose(1, 2), *rotation)
        k = rotate(self.k_proj(x).view(heads).transpose(1, 2), *rotation)
        v = self.v_proj(x).view(heads).transpose(1, 2)
        if cache is not None:
            k, v = cache.extend(self.layer, k, v)
        first = length > 1 and mask is None  # all there is: each looks at those before it
        y = functional.scaled_dot_product_attention(q, k, v, mask, is_causal=first, enable_gqa=True)
        return self.o_proj(y.transpose(1, 2).reshape(rows, length, -1))


class SwiGLU(nn.Module):
    """down(silu(gate x) · up x): one half of the inner layer says how much of the other half goes on.

    Source: Shazeer 2020, "GLU variants improve transformer".
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate_proj = linear(config.hidden_size, config.intermediate_size, config.mlp_bias)
        self.up_proj = linear(config.hidden_size, config.intermediate_size, config.mlp_bias)
        self.down_proj = linear(config.intermediate_size, config.hidden_size, config.mlp_bias)

    def forward(self, x: Any) -> Any:
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """Attention and SwiGLU, each on what an RMS norm makes of x, and each added to x."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config, layer)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = SwiGLU(config)

    def forward(self, x: Any, rotation: tuple[Any, Any], mask: Any, cache: Cache | None) -> Any:
        x = x + self.self_attn(self.input_layernorm(x), rotation, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


# ---- the model ------------------------------------------------------------------------------------------------------
class Decoder(nn.Module):
    """Tokens (rows, length) → how likely each token is to come next, as logits (rows, length, vocab_size)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        layers = [Layer(config, i) for i in range(config.num_hidden_layers)]
        self.model = nn.ModuleDict({
            "embed_tokens": nn.utils.skip_init(nn.Embedding, config.vocab_size, config.hidden_size),
            "layers": nn.ModuleList(layers),
            "norm": nn.RMSNorm(config.hidden_size, config.rms_norm_eps),
        })  # fmt: skip
        self.rotary = Rotary(config)
        self.lm_head = linear(config.hidden_size, config.vocab_size)
        self.tie()

    def tie(self) -> None:
        """Where the config says so, reading and writing share one table."""
        if self.config.tie_word_embeddings:
            self.lm_head.weight = self.model["embed_tokens"].weight

    def start(self) -> Decoder:
        """Draws all matrices anew, for training: what they make of numbers of size 1 has about size 1 again."""
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=self.config.hidden_size**-0.5)
        return self

    def forward(self, tokens: Any, cache: Cache | None = None, last: bool = False) -> Any:
        """The logits of all tokens, or with `last` of the last one. With a cache, `tokens` go on where it ends."""
        start = cache.length if cache is not None else 0
        length = tokens.shape[1]
        self._check_room(start + length, cache)
        rotation = self.rotary(start, start + length)
        mask = None
        if start and length > 1:  # query i of the new ones looks at all before them, and at i + 1 of the new ones
            mask = torch.ones(length, start + length, dtype=torch.bool).tril(start)
        x = self.model["embed_tokens"](tokens)
        for layer in self.model["layers"]:
            x = layer(x, rotation, mask, cache)
        if cache is not None:
            cache.length += length
        return self.lm_head(self.model["norm"](x[:, -1:] if last else x))

    def _check_room(self, length: int, cache: Cache | None) -> None:
        if length > self.config.max_position_embeddings:
            raise ValueError(
                f"{length} tokens, but the model knows positions up to max_position_embeddings="
                f"{self.config.max_position_embeddings}: give a shorter prompt or ask for fewer new tokens"
            )
        if cache is not None and length > cache.capacity:
            raise ValueError(f"{length} tokens, but the cache has room for {cache.capacity}: make a larger one")

    def generate(
        self, prompt_tokens: Sequence[int], max_new_tokens: int, temperature: float = 1.0, top_k: int | None = None,
        top_p: float | None = None, generator: Any = None,
    ) -> Iterator[int]:  # fmt: skip
        """The tokens that follow the prompt, one by one as they are found; ends at `eos_token_id`, which is not given.

        Of the tokens' probabilities softmax(logits / temperature) only the `top_k` largest count, and of those only as
        many of the largest as make up `top_p`; one is drawn, from `generator`. With temperature 0 it is the likeliest.
        Errors: ValueError for an empty prompt, numbers out of range, and where there is no room for the tokens.
        """
        _check_sampling(temperature, top_k, top_p)
        if not len(prompt_tokens):
            raise ValueError("the prompt is empty: give at least one token, such as that for the beginning of a text")
        self._check_room(len(prompt_tokens) + max_new_tokens, None)
        return self._generate(list(prompt_tokens), max_new_tokens, (temperature, top_k, top_p), generator)

    def _generate(self, new: list[int], count: int, sampling: tuple[Any, ...], generator: Any) -> Iterator[int]:
        cache = Cache(self.config, len(new) + count)
        eos = self.config.eos_token_id
        ends = set(eos if isinstance(eos, list) else [eos])
        for _ in range(count):
            with torch.no_grad():  # not around the yield: whoever takes the token keeps their own mode
                logits = self(torch.tensor([new]), cache, last=True)[0, -1]
                token = int(sample(logits, *sampling, generator))
            if token in ends:
                return
            yield token
            new = [token]


def _check_sampling(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if temperature < 0:
        raise ValueError(f"temperature={temperature}: 0 for the likeliest token, 1 for the model's own probabilities")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k={top_k}: at least 1 token must be left, or None for all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p={top_p}: a part of the probability, above 0 and up to 1, or None for all")


def sample(logits: Any, temperature: float, top_k: int | None, top_p: float | None, generator: Any) -> Any:
    """A token by its logits (vocab_size,)."""
    if temperature == 0:
        return logits.argmax()
    logits = logits / temperature
    if top_k is not None and top_k < len(logits):
        logits = logits.masked_fill(logits < logits.topk(top_k).values[-1], -math.inf)
    if top_p is not None and top_p < 1:
        falling, order = logits.sort(descending=True)
        chances = falling.softmax(-1)
        enough = chances.cumsum(-1) - chances >= top_p  # without this one there was enough already
        logits = logits.masked_fill(enough.scatter(-1, order, enough), -math.inf)
    return torch.multinomial(logits.softmax(-1), 1, generator=generator)


# ---- files ----------------------------------------------------------------------------------------------------------
def load(path: str | Path) -> Decoder:
    """The model in a folder, or in a .safetensors file beside its config.json; weights become float32.

    Errors: FileNotFoundError for what is not there, RuntimeError with all tensors that are missing, too many or of
    another shape than config.json says.
    """
    path = Path(path)
    folder = path.parent if path.suffix == ".safetensors" else path
    model = Decoder(Config.read(_there(folder / "config.json")))
    tensors = {name: tensor.float() for name, tensor in _tensors(path).items() if not name.endswith("inv_freq")}
    if model.config.tie_word_embeddings and "model.embed_tokens.weight" in tensors:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]  # files may leave it out
    try:
        model.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise RuntimeError(f"{path} does not hold what config.json says: {error}") from None
    model.tie()
    return model.eval()


def _there(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: a checkpoint is a folder of config.json and model.safetensors")
    return path


def _tensors(path: Path) -> dict[str, Any]:
    """Name → tensor: of a file, or of a folder's file or all of its shards."""
    if path.suffix != ".safetensors":
        index = path / "model.safetensors.index.json"
        if index.is_file():
            shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
            return {name: tensor for shard in shards for name, tensor in _tensors(path / shard).items()}
        path = path / "model.safetensors"
    return safetensors.load_file(str(_there(path)))


def save(model: Decoder, folder: str | Path) -> None:
    """Writes config.json and model.safetensors, which `load` reads, and other programs do."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        del tensors["lm_head.weight"]
    model.config.write(folder / "config.json")
    safetensors.save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})


# ---- text -----------------------------------------------------------------------------------------------------------
class Bytes:
    """Tokens that are a text's bytes in UTF-8: a vocabulary of 256 that needs no file."""

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def decode(self, tokens: Sequence[int]) -> str:
        return bytes(tokens).decode(errors="replace")


class Pieces:
    """The tokens of a tokenizer.json, which the package `tokenizers` reads."""

    def __init__(self, path: Path) -> None:
        try:
            import tokenizers
        except ImportError:
            raise ImportError(f"{path} is read by the package tokenizers: pip install tokenizers") from None
        self.tokenizer = tokenizers.Tokenizer.from_file(str(path))

    def encode(self, text: str) -> list[int]:
        tokens: list[int] = self.tokenizer.encode(text).ids
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(tokens))
        return text


def tokenizer_of(folder: Path, config: Config) -> Bytes | Pieces:
    """What makes tokens of texts for a checkpoint. Errors: FileNotFoundError where it has no tokenizer.json and more
    tokens than there are bytes."""
    path = folder / "tokenizer.json"
    if path.is_file():
        return Pieces(path)
    if config.vocab_size != 256:
        raise FileNotFoundError(f"{path} is not there, and {config.vocab_size} tokens are no bytes: add that file")
    return Bytes()


def text_of(prompt: Sequence[int], tokens: Iterator[int], decode: Any) -> Iterator[str]:
    """The text of `tokens`, which follow the prompt, piece by piece as they come. A piece may be late: a letter can
    take several tokens, and is � until the last of them."""
    known = list(prompt)
    shown = decode(known)
    for token in tokens:
        known.append(token)
        text = decode(known)
        if not text.endswith("�"):
            yield text[len(shown) :]
            shown = text


# ---- the program ----------------------------------------------------------------------------------------------------
def write(args: argparse.Namespace) -> None:
    """Prints what follows the prompt, as it comes, and says how fast."""
    model = load(args.folder)
    tokenizer = tokenizer_of(args.folder, model.config)
    prompt, generator = tokenizer.encode(args.prompt), torch.Generator().manual_seed(args.seed)
    new = model.generate(prompt, args.tokens, args.temperature, args.top_k, args.top_p, generator)
    count = 0

    def counted() -> Iterator[int]:
        nonlocal count
        for count, token in enumerate(new, 1):  # noqa: B007
            yield token

    print(args.prompt, end="", flush=True)
    start = time.perf_counter()
    for piece in text_of(prompt, counted(), tokenizer.decode):
        print(piece, end="", flush=True)
    print(f"\n\n{count} tokens, {count / (time.perf_counter() - start):.1f} a second, in {BACKENDS[args.backend]}")


def main() -> None:
    """Reads the command line; what is wrong with it or with the files ends the program in words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where config.json, model.safetensors and tokenizer.json are")
    parser.add_argument("--prompt", default="Once upon a time", help="how the text begins (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=100, help="how many tokens to add (default: %(default)s)")
    parser.add_argument("--temperature", type=float, default=0.8, help="0: always the likeliest (default: %(default)s)")
    parser.add_argument("--top_k", type=int, help="choose among so many tokens (default: all)")
    parser.add_argument("--top_p", type=float, help="choose among those that make up this much (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="decides what is drawn (default: %(default)s)")
    computes = "what computes (default: %(default)s)"
    parser.add_argument("--backend", choices=[*BACKENDS], default="mini_torch", help=computes)
    try:
        write(parser.parse_args())
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
