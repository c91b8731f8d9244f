"""examples/llama.py: the same logits and tokens as `LlamaForCausalLM`, whatever way they are come by; clear errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mini_torch
from decoder_cases import CONFIGS, COUNT, PROMPT, SAMPLINGS, SEED, SIZES, TOKENS, llama, model_of

pytest.importorskip("safetensors")
from mini_torch.safetensors import load_file, save_file

RECORDED = json.loads((Path(__file__).parent / "data" / "decoder.json").read_text())
NAMES = list(CONFIGS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint of the case "grouped"."""
    llama.save(model_of("grouped"), tmp_path)
    return tmp_path


def rewrite(folder: Path, **changes: Any) -> None:
    """Changes what config.json says; None takes a key away."""
    path = folder / "config.json"
    given = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in given.items() if value is not None}))


def logits_of(model: Any, tokens: Any = TOKENS) -> Any:
    with mini_torch.no_grad():
        return model(mini_torch.tensor(tokens)).numpy()


# ---- the numbers ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_of_transformers(name: str) -> None:
    np.testing.assert_allclose(logits_of(model_of(name)), RECORDED[name]["logits"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("name", NAMES)
def test_tokens_are_those_of_transformers(name: str, sampling: str) -> None:
    generator = mini_torch.Generator().manual_seed(SEED)
    found = list(model_of(name).generate(PROMPT, COUNT, generator=generator, **SAMPLINGS[sampling]))
    assert found == RECORDED[name]["tokens"][sampling]


@pytest.mark.parametrize("parts", [[1] * 12, [3, 1, 8], [12], [5, 7]], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_with_a_cache_nothing_else_comes_out(name: str, parts: list[int]) -> None:
    model = model_of(name)
    cache = llama.Cache(model.config, 12, rows=2)
    found, start = [], 0
    with mini_torch.no_grad():
        for length in parts:
            found.append(model(mini_torch.tensor(TOKENS)[:, start : start + length], cache))
            start += length
    np.testing.assert_allclose(mini_torch.cat(found, 1).numpy(), logits_of(model), rtol=0, atol=1e-5)
    assert cache.length == 12


def test_generating_equals_reading_all_again() -> None:
    model = model_of("grouped")
    tokens = [4]  # a single one
    for token in model.generate(tokens, 20, temperature=0.0):
        assert token == logits_of(model, [tokens])[0, -1].argmax()
        tokens.append(token)
    assert len(tokens) == 21


def test_heads_that_share_are_as_if_each_had_its_own_copy() -> None:
    shared, own = model_of("grouped"), model_of("plain")
    tensors = shared.state_dict()
    for name in [name for name in tensors if "k_proj" in name or "v_proj" in name]:
        tensors[name] = tensors[name].view(2, 8, 32).repeat_interleave(2, 0).reshape(32, 32)
    own.load_state_dict(tensors)
    own.rotary, own.config = shared.rotary, shared.config
    for layer in own.model["layers"]:
        layer.input_layernorm.eps = layer.post_attention_layernorm.eps = own.model["norm"].eps = 1e-5
    np.testing.assert_allclose(logits_of(own), logits_of(shared), rtol=0, atol=1e-5)


def test_gradients_reach_every_parameter() -> None:
    model = model_of("one shared head")
    model(mini_torch.tensor(TOKENS)).logsumexp(-1).sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()] == []


# ---- choosing -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sampling", [{"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-4}])
def test_what_leaves_one_token_takes_the_likeliest(sampling: dict[str, Any]) -> None:
    model = model_of("plain")
    assert list(model.generate(PROMPT, 8, **sampling)) == list(model.generate(PROMPT, 8, temperature=0.0))


@pytest.mark.parametrize(("options", "expected"), [
    ((1.0, None, None), [0.5, 0.3, 0.15, 0.05]),
    ((1.0, 2, None), [0.625, 0.375, 0, 0]),
    ((1.0, None, 0.81), [10 / 19, 6 / 19, 3 / 19, 0]),  # 0.5 + 0.3 are not enough
    ((0.5, 3, 0.7), [25 / 34, 9 / 34, 0, 0]),  # squares
])  # fmt: skip
def test_what_is_drawn_has_the_probabilities_that_are_left(options: tuple[Any, ...], expected: list[float]) -> None:
    logits = mini_torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    drawn = np.bincount([int(llama.sample(logits, *options, None)) for _ in range(1000)], minlength=4)
    np.testing.assert_allclose(drawn / 1000, expected, atol=0.05)
    assert not drawn[np.equal(expected, 0)].any()


@pytest.mark.parametrize("as_list", [False, True])
def test_it_ends_where_the_text_ends(as_list: bool) -> None:
    model = model_of("plain")
    tokens = list(model.generate(PROMPT, 8, temperature=0.0))
    end = tokens[4]
    model.config.eos_token_id = [end, 40] if as_list else end
    assert list(model.generate(PROMPT, 8, temperature=0.0)) == tokens[: tokens.index(end)]


def test_between_tokens_the_grad_mode_is_the_callers() -> None:
    for _ in model_of("plain").generate(PROMPT, 3):
        assert mini_torch.is_grad_enabled()


@pytest.mark.parametrize(("options", "words"), [
    ({"temperature": -1.0}, "temperature=-1.0"), ({"top_k": 0}, "top_k=0"), ({"top_p": 0.0}, "top_p=0.0"),
    ({"top_p": 1.5}, "top_p=1.5"), ({"max_new_tokens": 60}, "65 tokens, but .* max_position_embeddings=64"),
    ({"prompt_tokens": []}, "the prompt is empty"),
])  # fmt: skip
def test_what_cannot_be_is_said_before_the_first_token(options: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"prompt_tokens": PROMPT, "max_new_tokens": 2, **options}
    with pytest.raises(ValueError, match=words):
        model_of("plain").generate(**given)


def test_no_room() -> None:
    model = model_of("plain")
    with pytest.raises(ValueError, match="65 tokens, but the model knows positions up to"):
        model(mini_torch.zeros(1, 65, dtype=mini_torch.int64))
    with pytest.raises(ValueError, match="12 tokens, but the cache has room for 11"):
        model(mini_torch.tensor(TOKENS), llama.Cache(model.config, 11, rows=2))


# ---- files ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", NAMES)
def test_what_was_saved_loads(name: str, tmp_path: Path) -> None:
    model = model_of(name)
    llama.save(model, tmp_path / "new")
    for path in (tmp_path / "new", str(tmp_path / "new" / "model.safetensors")):
        loaded = llama.load(path)
        assert not loaded.training
        assert loaded.config == model.config
        assert list(loaded.state_dict()) == list(model.state_dict())
        np.testing.assert_array_equal(logits_of(loaded), logits_of(model))


def test_tied_embeddings_are_one_table(folder: Path) -> None:
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    model = llama.load(folder)
    assert model.lm_head.weight is model.model["embed_tokens"].weight


def test_shards(folder: Path) -> None:
    expected = logits_of(llama.load(folder))
    tensors = load_file(folder / "model.safetensors", backend="pread")
    (folder / "model.safetensors").unlink()
    places = {name: f"model-{i % 3}.safetensors" for i, name in enumerate(tensors)}
    for shard in set(places.values()):
        save_file({name: x for name, x in tensors.items() if places[name] == shard}, folder / shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    np.testing.assert_array_equal(logits_of(llama.load(folder)), expected)
    (folder / "model-1.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"model-1\.safetensors is not there"):
        llama.load(folder)


@pytest.mark.parametrize("half", [mini_torch.float16, mini_torch.bfloat16])
def test_halves_and_tables_that_old_files_have(folder: Path, half: Any) -> None:
    if half is mini_torch.bfloat16:
        pytest.importorskip("ml_dtypes")
    tensors = load_file(folder / "model.safetensors", backend="pread")
    halves = {name: x.to(half) for name, x in tensors.items()}
    halves["model.layers.0.self_attn.rotary_emb.inv_freq"] = mini_torch.ones(4)
    save_file(halves, folder / "model.safetensors")
    model = llama.load(folder)
    assert {x.dtype for x in model.state_dict().values()} == {mini_torch.float32}
    np.testing.assert_array_equal(model.model["norm"].weight.detach(), tensors["model.norm.weight"].to(half).float())


def test_the_newer_way_to_say_how_positions_turn(tmp_path: Path) -> None:
    model = model_of("longer")
    llama.save(model, tmp_path)
    rope = {"rope_theta": 500.0, **model.config.rope_scaling}
    rewrite(tmp_path, rope_theta=None, rope_scaling=None, rope_parameters=rope)
    np.testing.assert_array_equal(logits_of(llama.load(tmp_path)), logits_of(model))


def test_everything_that_does_not_fit_is_listed(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors", backend="pread")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    tensors["model.layers.2.mlp.up_proj.weight"] = mini_torch.ones(2)
    tensors["model.norm.weight"] = mini_torch.ones(31)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(RuntimeError) as found:
        llama.load(folder)
    for words in (str(folder), 'Missing key(s) in state_dict: "model.layers.1.mlp.up_proj.weight"',
                  'Unexpected key(s) in state_dict: "model.layers.2.mlp.up_proj.weight"',
                  "size mismatch for model.norm.weight", "[31]", "[32]"):  # fmt: skip
        assert words in str(found.value)


@pytest.mark.parametrize(("changes", "words"), [
    ({"model_type": "gemma"}, "config.json: model_type is 'gemma'; what is built here is 'llama'"),
    ({"hidden_act": "gelu"}, "hidden_act is 'gelu'"),
    ({"rope_scaling": {"rope_type": "yarn"}}, "rope_scaling of type 'yarn'"),
    ({"num_key_value_heads": 3}, "num_key_value_heads=3 evenly"),
])  # fmt: skip
def test_what_is_not_built_here_is_refused(folder: Path, changes: dict[str, Any], words: str) -> None:
    rewrite(folder, **changes)
    with pytest.raises(ValueError, match=words):
        llama.load(folder)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config\.json is not there"):
        llama.load(tmp_path)
    llama.Config(**SIZES).write(tmp_path / "config.json")
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors is not there"):
        llama.load(tmp_path)


# ---- text -----------------------------------------------------------------------------------------------------------
def test_text_comes_in_whole_letters() -> None:
    tokens = llama.Bytes().encode("né 語!")
    pieces = list(llama.text_of(tokens[:1], iter(tokens[1:]), llama.Bytes().decode))
    assert pieces == ["é", " ", "語", "!"]


def test_the_tokenizers_that_there_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(llama.tokenizer_of(folder, llama.Config(vocab_size=256)), llama.Bytes)
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json is not there, and 41 tokens are no bytes"):
        llama.tokenizer_of(folder, llama.Config(**SIZES))
    (folder / "tokenizer.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ImportError, match="pip install tokenizers"):
        llama.tokenizer_of(folder, llama.Config(**SIZES))


def test_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    llama.save(llama.Decoder(llama.Config(**{**SIZES, "vocab_size": 256})).start(), tmp_path)
    monkeypatch.setattr(sys, "argv", ["llama.py", str(tmp_path), "--prompt", "Once", "--tokens", "5", "--top_k", "3"])
    llama.main()
    text, numbers = capsys.readouterr().out.rsplit("\n\n", 1)
    assert text.startswith("Once")
    assert numbers.startswith("5 tokens, ")


def test_the_program_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["llama.py", str(Path("not", "there"))])
    with pytest.raises(SystemExit) as end:
        llama.main()
    assert end.value.code == 2
    assert str(Path("not", "there", "config.json")) + " is not there" in capsys.readouterr().err
