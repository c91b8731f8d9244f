"""Rooms that open when one of their names is first asked for, most of them in `ops`.

All of them together take as long to import as NumPy does, and a program uses few. `ROOMS` says which names each brings:
those of `torch.*`, those of `nn.functional` alone, Tensor's methods (properties with an @). `python tests/late.py`
writes it, a test compares.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .tensor import Tensor, method, openers

__all__ = ["OTHERS", "ROOMS", "TOP", "find", "open_all"]

ROOMS: dict[str, tuple[str, str, str]] = {
    "ops.complex_view": (
        "imag is_conj is_neg real resolve_conj resolve_neg view_as_complex view_as_real",
        "",
        "@imag @real is_conj is_neg resolve_conj resolve_neg",
    ),
    "ops.diagonal": (
        "diag diag_embed diagflat diagonal trace tril triu",
        "",
        "diag diag_embed diagflat diagonal fill_diagonal_ trace tril tril_ triu triu_",
    ),
    "ops.copies": (
        "alias_copy as_strided_copy detach_copy diagonal_copy expand_copy narrow_copy permute_copy "
        "select_copy slice_copy split_copy split_with_sizes_copy squeeze_copy t_copy transpose_copy "
        "unbind_copy unfold_copy unsqueeze_copy view_as_complex_copy view_as_real_copy view_copy",
        "",
        "narrow_copy",
    ),
    "ops.into": (
        "as_strided_scatter diagonal_scatter select_scatter slice_scatter",
        "",
        "as_strided_scatter diagonal_scatter select_scatter slice_scatter",
    ),
    "ops.storage": (
        "get_device is_same_size",
        "",
        "@layout const_data_ptr dim_order get_device is_pinned is_same_size is_set_to is_shared storage "
        "untyped_storage",
    ),
    "ops.extremes": (
        "amax amin aminmax argmax argmin cummax cummin max min",
        "",
        "amax amin aminmax argmax argmin cummax cummin max min",
    ),
    "ops.sorting": (
        "argsort bucketize isin msort searchsorted sort topk unique unique_consecutive",
        "",
        "argsort msort sort topk unique unique_consecutive",
    ),
    "ops.diff": (
        "diff unravel_index",
        "",
        "diff",
    ),
    "ops.special.error": (
        "erf erfc erfinv",
        "",
        "erf erf_ erfc erfc_ erfinv erfinv_",
    ),
    "ops.special.gamma": (
        "digamma lgamma mvlgamma polygamma",
        "",
        "digamma digamma_ lgamma lgamma_ mvlgamma mvlgamma_ polygamma polygamma_",
    ),
    "ops.special.incomplete_gamma": (
        "igamma igammac",
        "",
        "igamma igamma_ igammac igammac_",
    ),
    "ops.special.modified_bessel": (
        "i0",
        "",
        "i0 i0_",
    ),
    "ops.special.entropy": (
        "",
        "",
        "",
    ),
    "ops.activation": (
        "celu celu_ prelu relu relu_ rrelu rrelu_ selu selu_ sigmoid",
        "elu elu_ gelu glu leaky_relu leaky_relu_ logsigmoid mish silu softplus softsign tanhshrink",
        "prelu relu relu_ sigmoid sigmoid_",
    ),
    "ops.thresholds": (
        "hardshrink threshold threshold_",
        "hardsigmoid hardswish hardtanh hardtanh_ relu6 softshrink",
        "hardshrink",
    ),
    "ops.short_softmax": (
        "log_softmax softmax",
        "",
        "log_softmax softmax",
    ),
    "ops.recurrent": (
        "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell",
        "",
        "",
    ),
    "ops.native": (
        "batch_norm binary_cross_entropy_with_logits cosine_embedding_loss ctc_loss embedding embedding_bag "
        "embedding_renorm_ group_norm hinge_embedding_loss instance_norm kl_div layer_norm "
        "margin_ranking_loss native_batch_norm native_group_norm native_layer_norm poisson_nll_loss rms_norm "
        "triplet_margin_loss",
        "",
        "norm",
    ),
    "ops.softmax": (
        "",
        "gumbel_softmax softmin",
        "",
    ),
    "ops.short_dropout": (
        "alpha_dropout alpha_dropout_ dropout dropout_ feature_alpha_dropout feature_alpha_dropout_ "
        "feature_dropout feature_dropout_ native_dropout",
        "",
        "",
    ),
    "ops.dropout": (
        "",
        "dropout1d dropout2d dropout3d",
        "",
    ),
    "ops.linalg.classic": (
        "chain_matmul cholesky cholesky_inverse cholesky_solve det frobenius_norm inverse lobpcg logdet lu "
        "lu_solve lu_unpack nuclear_norm pca_lowrank pinverse qr slogdet svd svd_lowrank triangular_solve",
        "",
        "cholesky cholesky_inverse cholesky_solve det inverse logdet lu lu_solve matrix_exp matrix_power "
        "pinverse qr slogdet svd triangular_solve",
    ),
    "ops.linalg.norms": (
        "norm",
        "",
        "",
    ),
    "ops.linalg.powers": (
        "matrix_exp matrix_power",
        "",
        "",
    ),
    "ops.linalg.added": (
        "addbmm addmm addmv addr baddbmm",
        "",
        "addbmm addbmm_ addmm addmm_ addmv addmv_ addr addr_ baddbmm baddbmm_",
    ),
    "ops.linalg.vectors": (
        "cross kron vander",
        "",
        "cross kron",
    ),
    "ops.linalg.distances": (
        "cdist dist renorm",
        "",
        "dist renorm renorm_",
    ),
    "ops.linalg.statistics": (
        "corrcoef cov",
        "",
        "corrcoef cov",
    ),
    "ops.linalg.reflections": (
        "geqrf orgqr ormqr",
        "",
        "geqrf orgqr ormqr",
    ),
    "ops.linalg.entries": (
        "",
        "",
        "",
    ),
    "ops.histograms": (
        "bincount histc histogram histogramdd",
        "",
        "bincount histc histogram",
    ),
    "ops.integrals": (
        "cumulative_trapezoid gradient trapezoid trapz",
        "",
        "",
    ),
    "ops.quantiles": (
        "kthvalue median mode nanmedian nanquantile quantile",
        "",
        "kthvalue median mode nanmedian nanquantile quantile",
    ),
    "ops.padding": (
        "constant_pad_nd",
        "pad",
        "",
    ),
    "ops.window": (
        "",
        "fold unfold",
        "",
    ),
    "ops.convolution": (
        "conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d",
        "",
        "",
    ),
    "ops.pooling.pairs": (
        "adaptive_max_pool1d",
        "",
        "",
    ),
    "ops.pooling": (
        "adaptive_avg_pool1d avg_pool1d max_pool1d max_pool1d_with_indices max_pool2d max_pool3d",
        "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d_with_indices adaptive_max_pool2d "
        "adaptive_max_pool2d_with_indices adaptive_max_pool3d adaptive_max_pool3d_with_indices avg_pool2d "
        "avg_pool3d fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d "
        "fractional_max_pool3d_with_indices lp_pool1d lp_pool2d lp_pool3d max_pool2d_with_indices "
        "max_pool3d_with_indices max_unpool1d max_unpool2d max_unpool3d",
        "",
    ),
    "ops.interpolation": (
        "",
        "interpolate upsample upsample_bilinear upsample_nearest",
        "",
    ),
    "ops.grid": (
        "affine_grid_generator grid_sampler grid_sampler_2d grid_sampler_3d",
        "affine_grid grid_sample",
        "",
    ),
    "ops.shuffle": (
        "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
        "",
        "",
    ),
    "ops.normalization": (
        "norm_except_dim",
        "local_response_norm normalize",
        "",
    ),
    "ops.batch_norm": (
        "",
        "",
        "",
    ),
    "ops.distance": (
        "cosine_similarity pairwise_distance pdist",
        "",
        "",
    ),
    "ops.embedding": (
        "",
        "one_hot",
        "",
    ),
    "ops.embedding_bag": (
        "",
        "",
        "",
    ),
    "ops.loss": (
        "",
        "binary_cross_entropy half_squared_error huber_loss l1_loss mse_loss smooth_l1_loss",
        "",
    ),
    "ops.cross_entropy": (
        "",
        "cross_entropy nll_loss",
        "",
    ),
    "ops.linear_cross_entropy": (
        "",
        "LinearCrossEntropyOptions linear_cross_entropy",
        "",
    ),
    "ops.likelihood": (
        "",
        "gaussian_nll_loss",
        "",
    ),
    "ops.margin": (
        "",
        "multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss soft_margin_loss "
        "triplet_margin_with_distance_loss",
        "",
    ),
    "ops.ctc": (
        "",
        "",
        "",
    ),
    "ops.attention": (
        "",
        "scaled_dot_product_attention",
        "",
    ),
    "ops.multi_head": (
        "",
        "multi_head_attention_forward",
        "",
    ),
    "ops.window_function": (
        "bartlett_window blackman_window hamming_window hann_window kaiser_window",
        "",
        "",
    ),
    "ops.spectrogram": (
        "istft stft",
        "",
        "istft stft",
    ),
    "ops.inplace": (
        "abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ asin_ asinh_ atan_ "
        "atanh_ ceil_ clamp_ clamp_max_ clamp_min_ clip_ conj_physical_ cos_ cosh_ deg2rad_ detach_ erf_ "
        "erfc_ exp2_ exp_ expm1_ fill_ fix_ floor_ frac_ gcd_ i0_ index_put_ lcm_ ldexp_ log10_ log1p_ log2_ "
        "log_ logit_ nan_to_num_ neg_ negative_ rad2deg_ reciprocal_ round_ rsqrt_ sigmoid_ sin_ sinc_ sinh_ "
        "sqrt_ square_ tan_ tanh_ trunc_ xlogy_ zero_",
        "",
        "",
    ),
    "typed": (
        "BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor "
        "ShortTensor set_default_tensor_type",
        "",
        "",
    ),
    "settings": (
        "are_deterministic_algorithms_enabled get_default_device get_deterministic_debug_mode "
        "get_float32_matmul_precision get_num_interop_threads get_num_threads "
        "is_deterministic_algorithms_warn_only_enabled is_warn_always_enabled set_default_device "
        "set_deterministic_debug_mode set_float32_matmul_precision set_flush_denormal set_num_interop_threads "
        "set_num_threads set_warn_always use_deterministic_algorithms",
        "",
        "",
    ),
}

TOP = {name: room for room, (names, _, _) in ROOMS.items() for name in names.split()}
OTHERS = {name: room for room, (_, names, _) in ROOMS.items() for name in names.split()}
_PACKAGE = __name__.rpartition(".")[0]


def find(name: str, *tables: dict[str, str]) -> Any:
    """What the name means in the room that the tables name for it; KeyError if none does."""
    for table in tables:
        if name in table:
            return getattr(import_module(f".{table[name]}", _PACKAGE), name)
    raise KeyError(name)


def open_all() -> None:
    """Opens every room."""
    for room in ROOMS:
        import_module(f".{room}", _PACKAGE)


def _opener(name: str, room: str) -> Any:
    """A method that opens its room, which puts the real one in its place, and calls that. Of @name, a property."""
    if name[0] == "@":
        return property(lambda self: _opener(name[1:], room)(self))

    def opening(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        import_module(f".{room}", _PACKAGE)
        member = getattr(Tensor, name)
        return member.__get__(self) if isinstance(member, property) else member(self, *args, **kwargs)

    opening.__name__ = name
    return opening


openers.append(open_all)
for _room, (_, _, _methods) in ROOMS.items():
    for _name in _methods.split():
        method(_name.removeprefix("@"), _opener(_name, _room))
