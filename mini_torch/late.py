"""Rooms that open when one of their names is first asked for, most of them in `ops`.

All of them together take as long to import as NumPy does, and a program uses few. `ROOMS` says which names each brings:
those of `torch.*` and Tensor's methods (properties with an @). `python tests/late.py` writes it, a test compares.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NoReturn

from .absent import ABSENT, words
from .tensor import Tensor, method, openers

__all__ = ["CLASSES", "FUNCTIONS", "ROOMS", "TOP", "find", "open_all"]

ROOMS: dict[str, tuple[str, str]] = {
    "ops.complex_view": (
        "imag is_conj is_neg real resolve_conj resolve_neg view_as_complex view_as_real",
        "@imag @real is_conj is_neg resolve_conj resolve_neg",
    ),
    "ops.diagonal": (
        "diag diag_embed diagflat diagonal trace tril triu",
        "diag diag_embed diagflat diagonal fill_diagonal_ trace tril tril_ triu triu_",
    ),
    "ops.copies": (
        "alias_copy as_strided_copy detach_copy diagonal_copy expand_copy narrow_copy permute_copy "
        "select_copy slice_copy split_copy split_with_sizes_copy squeeze_copy t_copy transpose_copy "
        "unbind_copy unfold_copy unsqueeze_copy view_as_complex_copy view_as_real_copy view_copy",
        "narrow_copy",
    ),
    "ops.into": (
        "as_strided_scatter diagonal_scatter select_scatter slice_scatter",
        "as_strided_scatter diagonal_scatter select_scatter slice_scatter",
    ),
    "ops.storage": (
        "get_device is_same_size",
        "@layout as_subclass const_data_ptr dim_order get_device is_pinned is_same_size is_set_to is_shared "
        "storage untyped_storage",
    ),
    "ops.extremes": (
        "amax amin aminmax argmax argmin cummax cummin max min",
        "amax amin aminmax argmax argmin cummax cummin max min",
    ),
    "ops.sorting": (
        "argsort bucketize isin msort searchsorted sort topk unique unique_consecutive",
        "argsort msort sort topk unique unique_consecutive",
    ),
    "ops.diff": (
        "diff unravel_index",
        "diff",
    ),
    "ops.special.error": (
        "erf erfc erfinv",
        "erf erf_ erfc erfc_ erfinv erfinv_",
    ),
    "ops.special.gamma": (
        "digamma lgamma mvlgamma polygamma",
        "digamma digamma_ lgamma lgamma_ mvlgamma mvlgamma_ polygamma polygamma_",
    ),
    "ops.special.incomplete_gamma": (
        "igamma igammac",
        "igamma igamma_ igammac igammac_",
    ),
    "ops.special.modified_bessel": (
        "i0",
        "i0 i0_",
    ),
    "ops.special.entropy": (
        "",
        "",
    ),
    "ops.activation": (
        "celu celu_ prelu relu relu_ rrelu rrelu_ selu selu_ sigmoid",
        "prelu relu relu_ sigmoid sigmoid_",
    ),
    "ops.thresholds": (
        "hardshrink threshold threshold_",
        "hardshrink",
    ),
    "ops.short_softmax": (
        "log_softmax softmax",
        "log_softmax softmax",
    ),
    "ops.recurrent": (
        "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell",
        "",
    ),
    "ops.native": (
        "batch_norm binary_cross_entropy_with_logits cosine_embedding_loss ctc_loss embedding embedding_bag "
        "embedding_renorm_ group_norm hinge_embedding_loss instance_norm kl_div layer_norm "
        "margin_ranking_loss native_batch_norm native_group_norm native_layer_norm poisson_nll_loss rms_norm "
        "triplet_margin_loss",
        "norm",
    ),
    "ops.softmax": (
        "",
        "",
    ),
    "ops.short_dropout": (
        "alpha_dropout alpha_dropout_ dropout dropout_ feature_alpha_dropout feature_alpha_dropout_ "
        "feature_dropout feature_dropout_ native_dropout",
        "",
    ),
    "ops.dropout": (
        "",
        "",
    ),
    "ops.linalg.contraction": (
        "bilinear einsum",
        "",
    ),
    "ops.linalg.classic": (
        "chain_matmul cholesky cholesky_inverse cholesky_solve det frobenius_norm inverse lobpcg logdet lu "
        "lu_solve lu_unpack nuclear_norm pca_lowrank pinverse qr slogdet svd svd_lowrank triangular_solve",
        "cholesky cholesky_inverse cholesky_solve det inverse logdet lu lu_solve matrix_exp matrix_power "
        "pinverse qr slogdet svd triangular_solve",
    ),
    "ops.linalg.norms": (
        "norm",
        "",
    ),
    "ops.linalg.powers": (
        "matrix_exp matrix_power",
        "",
    ),
    "ops.linalg.added": (
        "addbmm addmm addmv addr baddbmm",
        "addbmm addbmm_ addmm addmm_ addmv addmv_ addr addr_ baddbmm baddbmm_",
    ),
    "ops.linalg.vectors": (
        "cross kron vander",
        "cross kron",
    ),
    "ops.linalg.distances": (
        "cdist dist renorm",
        "dist renorm renorm_",
    ),
    "ops.linalg.statistics": (
        "corrcoef cov",
        "corrcoef cov",
    ),
    "ops.linalg.reflections": (
        "geqrf orgqr ormqr",
        "geqrf orgqr ormqr",
    ),
    "ops.linalg.entries": (
        "",
        "",
    ),
    "ops.histograms": (
        "bincount histc histogram histogramdd",
        "bincount histc histogram",
    ),
    "ops.integrals": (
        "cumulative_trapezoid gradient trapezoid trapz",
        "",
    ),
    "ops.quantiles": (
        "kthvalue median mode nanmedian nanquantile quantile",
        "kthvalue median mode nanmedian nanquantile quantile",
    ),
    "ops.padding": (
        "constant_pad_nd",
        "",
    ),
    "ops.window": (
        "",
        "",
    ),
    "ops.convolution": (
        "conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d",
        "",
    ),
    "ops.pooling.pairs": (
        "adaptive_max_pool1d",
        "",
    ),
    "ops.pooling": (
        "adaptive_avg_pool1d avg_pool1d max_pool1d max_pool1d_with_indices max_pool2d max_pool3d",
        "",
    ),
    "ops.interpolation": (
        "",
        "",
    ),
    "ops.grid": (
        "affine_grid_generator grid_sampler grid_sampler_2d grid_sampler_3d",
        "",
    ),
    "ops.shuffle": (
        "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
        "",
    ),
    "ops.normalization": (
        "norm_except_dim",
        "",
    ),
    "ops.batch_norm": (
        "",
        "",
    ),
    "ops.distance": (
        "cosine_similarity pairwise_distance pdist",
        "",
    ),
    "ops.embedding": (
        "",
        "",
    ),
    "ops.embedding_bag": (
        "",
        "",
    ),
    "ops.loss": (
        "",
        "",
    ),
    "ops.cross_entropy": (
        "",
        "",
    ),
    "ops.linear_cross_entropy": (
        "",
        "",
    ),
    "ops.likelihood": (
        "",
        "",
    ),
    "ops.margin": (
        "",
        "",
    ),
    "ops.ctc": (
        "",
        "",
    ),
    "ops.attention": (
        "",
        "",
    ),
    "ops.multi_head": (
        "",
        "",
    ),
    "ops.window_function": (
        "bartlett_window blackman_window hamming_window hann_window kaiser_window",
        "",
    ),
    "ops.spectrogram": (
        "istft stft",
        "istft stft",
    ),
    "ops.inplace": (
        "abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ asin_ asinh_ atan_ "
        "atanh_ ceil_ clamp_ clamp_max_ clamp_min_ clip_ conj_physical_ cos_ cosh_ deg2rad_ detach_ erf_ "
        "erfc_ exp2_ exp_ expm1_ fill_ fix_ floor_ frac_ gcd_ i0_ index_put_ lcm_ ldexp_ log10_ log1p_ log2_ "
        "log_ logit_ nan_to_num_ neg_ negative_ rad2deg_ reciprocal_ round_ rsqrt_ sigmoid_ sin_ sinc_ sinh_ "
        "sqrt_ square_ tan_ tanh_ trunc_ xlogy_ zero_",
        "",
    ),
    "ranges": (
        "arange linspace logspace range",
        "",
    ),
    "typed": (
        "BFloat16Tensor BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor "
        "LongTensor ShortTensor set_default_tensor_type typename",
        "new",
    ),
    "settings": (
        "are_deterministic_algorithms_enabled get_default_device get_deterministic_debug_mode "
        "get_float32_matmul_precision get_num_interop_threads get_num_threads "
        "is_deterministic_algorithms_warn_only_enabled is_warn_always_enabled set_default_device "
        "set_deterministic_debug_mode set_float32_matmul_precision set_flush_denormal set_num_interop_threads "
        "set_num_threads set_warn_always use_deterministic_algorithms",
        "",
    ),
}

# What `nn` has, and what `nn.functional` has: the same file may serve both doors.
NN: dict[str, str] = {
    "activation": (
        "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh Identity LeakyReLU LogSigmoid LogSoftmax "
        "Mish PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink Softsign "
        "Tanh Tanhshrink Threshold"
    ),
    "layer.adaptive_softmax": (
        "AdaptiveLogSoftmaxWithLoss"
    ),
    "layer.attention": (
        "MultiheadAttention"
    ),
    "layer.batch_norm": (
        "BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyBatchNorm1d "
        "LazyBatchNorm2d LazyBatchNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d "
        "SyncBatchNorm"
    ),
    "layer.conv": (
        "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConv1d LazyConv2d "
        "LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d"
    ),
    "layer.distance": (
        "CosineSimilarity PairwiseDistance"
    ),
    "layer.dropout": (
        "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout"
    ),
    "layer.embedding": (
        "Embedding EmbeddingBag"
    ),
    "layer.linear": (
        "Bilinear Dense LazyLinear Linear"
    ),
    "layer.norm": (
        "CrossMapLRN2d GroupNorm LayerNorm LocalResponseNorm RMSNorm"
    ),
    "layer.padding": (
        "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d "
        "ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d "
        "ZeroPad2d ZeroPad3d"
    ),
    "layer.parallel": (
        "DataParallel DistributedDataParallel"
    ),
    "layer.pooling": (
        "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d "
        "AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d FractionalMaxPool2d FractionalMaxPool3d LPPool1d "
        "LPPool2d LPPool3d MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d"
    ),
    "layer.recurrent": (
        "GRU GRUCell LSTM LSTMCell RNN RNNBase RNNCell RNNCellBase"
    ),
    "layer.resampling": (
        "ChannelShuffle Fold PixelShuffle PixelUnshuffle Unfold Upsample UpsamplingBilinear2d "
        "UpsamplingNearest2d"
    ),
    "layer.shape": (
        "Flatten Identity Unflatten"
    ),
    "layer.transformer": (
        "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer"
    ),
    "loss": (
        "BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss GaussianNLLLoss "
        "HalfSquaredError HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss LinearCrossEntropyLoss MSELoss "
        "MarginRankingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d "
        "PoissonNLLLoss SmoothL1Loss SoftMarginLoss SquaredError TripletMarginLoss "
        "TripletMarginWithDistanceLoss"
    ),
    "ops.linear_cross_entropy": (
        "LinearCrossEntropyOptions"
    ),
}

FUNCTIONAL: dict[str, str] = {
    "ops.activation": (
        "celu celu_ elu elu_ gelu glu leaky_relu leaky_relu_ logsigmoid mish prelu relu relu_ rrelu rrelu_ "
        "selu selu_ sigmoid silu softplus softsign tanhshrink"
    ),
    "ops.attention": (
        "scaled_dot_product_attention"
    ),
    "ops.batch_norm": (
        "batch_norm instance_norm"
    ),
    "ops.convolution": (
        "conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d"
    ),
    "ops.cross_entropy": (
        "cross_entropy nll_loss"
    ),
    "ops.ctc": (
        "ctc_loss"
    ),
    "ops.distance": (
        "cosine_similarity pairwise_distance pdist"
    ),
    "ops.dropout": (
        "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout"
    ),
    "ops.elementwise.trigonometry": (
        "tanh"
    ),
    "ops.embedding": (
        "embedding one_hot"
    ),
    "ops.embedding_bag": (
        "embedding_bag"
    ),
    "ops.grid": (
        "affine_grid affine_grid_generator grid_sample grid_sampler grid_sampler_2d grid_sampler_3d"
    ),
    "ops.interpolation": (
        "interpolate upsample upsample_bilinear upsample_nearest"
    ),
    "ops.likelihood": (
        "gaussian_nll_loss kl_div poisson_nll_loss"
    ),
    "ops.linalg.contraction": (
        "bilinear"
    ),
    "ops.linalg.products": (
        "linear"
    ),
    "ops.linear_cross_entropy": (
        "linear_cross_entropy"
    ),
    "ops.loss": (
        "binary_cross_entropy binary_cross_entropy_with_logits half_squared_error huber_loss l1_loss mse_loss "
        "smooth_l1_loss"
    ),
    "ops.margin": (
        "cosine_embedding_loss hinge_embedding_loss margin_ranking_loss multi_margin_loss "
        "multilabel_margin_loss multilabel_soft_margin_loss soft_margin_loss triplet_margin_loss "
        "triplet_margin_with_distance_loss"
    ),
    "ops.multi_head": (
        "multi_head_attention_forward"
    ),
    "ops.normalization": (
        "group_norm layer_norm local_response_norm norm_except_dim normalize rms_norm"
    ),
    "ops.padding": (
        "constant_pad_nd pad"
    ),
    "ops.pooling": (
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d "
        "adaptive_max_pool1d_with_indices adaptive_max_pool2d adaptive_max_pool2d_with_indices "
        "adaptive_max_pool3d adaptive_max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d "
        "fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d "
        "fractional_max_pool3d_with_indices lp_pool1d lp_pool2d lp_pool3d max_pool1d max_pool1d_with_indices "
        "max_pool2d max_pool2d_with_indices max_pool3d max_pool3d_with_indices max_unpool1d max_unpool2d "
        "max_unpool3d"
    ),
    "ops.shuffle": (
        "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle"
    ),
    "ops.softmax": (
        "gumbel_softmax log_softmax softmax softmin"
    ),
    "ops.thresholds": (
        "hardshrink hardsigmoid hardswish hardtanh hardtanh_ relu6 softshrink threshold threshold_"
    ),
    "ops.window": (
        "fold unfold"
    ),
}

TOP = {name: room for room, (names, _) in ROOMS.items() for name in names.split()}
CLASSES = {name: room for room, names in NN.items() for name in names.split()}
FUNCTIONS = {name: room for room, names in FUNCTIONAL.items() for name in names.split()}
_PACKAGE = __name__.rpartition(".")[0]


def find(name: str, door: dict[str, Any], *tables: dict[str, str]) -> Any:
    """What the name means in the room that the tables name for it; kept in the door's globals for the next time.

    Errors: AttributeError if no table has the name.
    """
    for table in tables:
        if name in table:
            found = door[name] = getattr(import_module(f".{table[name]}", _PACKAGE), name)
            return found
    said = words(f"{door['__name__'].removeprefix(_PACKAGE)}.{name}"[1:])
    raise AttributeError(f"module {door['__name__']!r} has no attribute {name!r}{said and ': '}{said}")


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


class _Absent:
    """A member that Tensor has in PyTorch alone: to ask for it is an AttributeError that says so."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Any, owner: Any) -> NoReturn:
        subject = "type object 'Tensor'" if tensor is None else "'Tensor' object"
        raise AttributeError(f"{subject} has no attribute {self.name!r}: {words(f'Tensor.{self.name}')}")


for _name in ABSENT:
    if _name.startswith("Tensor."):
        method(_name.removeprefix("Tensor."), _Absent(_name.removeprefix("Tensor.")))
openers.append(open_all)
for _room, (_, _methods) in ROOMS.items():
    for _name in _methods.split():
        method(_name.removeprefix("@"), _opener(_name, _room))
