"""A vision transformer from scratch: patches, class token, attention by hand, warm-up and label smoothing."""
import math
from dataclasses import dataclass

import torch
from torch import nn, Tensor
from torch.nn import functional as F


def pair(t):
    return t if isinstance(t, tuple) else (t, t)


class PreNorm(nn.Module):
    def __init__(self, dim, fn):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fn = fn

    def forward(self, x, **kwargs):
        return self.fn(self.norm(x), **kwargs)


class Attention(nn.Module):
    def __init__(self, dim, heads=4, dim_head=8, dropout=0.):
        super().__init__()
        inner_dim = dim_head * heads
        self.heads, self.scale = heads, dim_head ** -0.5
        self.attend, self.dropout = nn.Softmax(dim=-1), nn.Dropout(dropout)
        self.to_qkv = nn.Linear(dim, inner_dim * 3, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner_dim, dim), nn.Dropout(dropout))

    def forward(self, x):
        b, n, _ = x.shape
        qkv = self.to_qkv(x).chunk(3, dim=-1)
        q, k, v = map(lambda t: t.reshape(b, n, self.heads, -1).permute(0, 2, 1, 3), qkv)
        dots = torch.matmul(q, k.transpose(-1, -2)) * self.scale
        out = torch.matmul(self.dropout(self.attend(dots)), v)
        return self.to_out(out.transpose(1, 2).flatten(2))


class ViT(nn.Module):
    def __init__(self, *, image_size, patch_size, num_classes, dim, depth, channels=3):
        super().__init__()
        (h, w), (p, _) = pair(image_size), pair(patch_size)
        self.patch = nn.Conv2d(channels, dim, kernel_size=p, stride=p)
        self.pos_embedding = nn.Parameter(torch.randn(1, (h // p) * (w // p) + 1, dim))
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.layers = nn.ModuleList([])
        for _ in range(depth):
            self.layers.append(nn.ModuleList([
                PreNorm(dim, Attention(dim)),
                PreNorm(dim, nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim)))]))
        self.mlp_head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, num_classes))
        self.apply(self._init_weights)

    @staticmethod
    def _init_weights(m):
        if isinstance(m, nn.Linear):
            nn.init.trunc_normal_(m.weight, std=.02)
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, img):
        x = self.patch(img).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1)
        x += self.pos_embedding[:, :x.size(1)]
        for attn, ff in self.layers:
            x = attn(x) + x
            x = ff(x) + x
        return self.mlp_head(x[:, 0])


@dataclass
class Config:
    lr: float = 3e-3
    steps: int = 12
    warmup: int = 3


cfg = Config()
torch.manual_seed(0)
torch.set_float32_matmul_precision('high')
v = ViT(image_size=16, patch_size=4, num_classes=4, dim=24, depth=2)
try:
    v = torch.compile(v, disable=True)
except Exception as e:
    print('no compile', e)
images, labels = torch.rand(16, 3, 16, 16), torch.randint(4, (16,))
images[torch.arange(16), 0, labels] += 2
optimizer = torch.optim.AdamW(v.parameters(), lr=cfg.lr, betas=(.9, .95), weight_decay=.05)
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda s: (s + 1) / cfg.warmup if s < cfg.warmup else .5 * (1 + math.cos(math.pi * s / cfg.steps)))
for step in range(cfg.steps):
    loss = F.cross_entropy(v(images), labels, label_smoothing=.1)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 4 == 3:
        print(f"step {step:>3} | loss {loss:.4f} | lr {scheduler.get_last_lr()[0]:.2e}")
print(v(images).argmax(-1).eq(labels).float().mean(), sum(p.numel() for p in v.parameters()) / 1e3, "k")
