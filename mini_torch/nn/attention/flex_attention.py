"""PyTorch's `nn.attention.flex_attention`. A door: it defines nothing."""

from ...ops.block_mask import BlockMask as BlockMask
from ...ops.block_mask import and_masks as and_masks
from ...ops.block_mask import create_block_mask as create_block_mask
from ...ops.block_mask import create_mask as create_mask
from ...ops.block_mask import noop_mask as noop_mask
from ...ops.block_mask import or_masks as or_masks
from ...ops.flex_attention import AuxOutput as AuxOutput
from ...ops.flex_attention import AuxRequest as AuxRequest
from ...ops.flex_attention import FlexKernelOptions as FlexKernelOptions
from ...ops.flex_attention import flex_attention as flex_attention
