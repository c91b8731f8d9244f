"""The small models that people train, as they write them for PyTorch.

Each takes the library, builds its model and data from a seed, and returns the function that makes step `i` of the
training and gives its loss. From these seeds rounding stays rounding for 200 steps. From others it may not: with ReLU
and Adam, PyTorch itself leaves its own path by percents if each weight is moved by its last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

Step = Callable[[int], float]


def stepper(optimizer: Any, loss_of: Callable[[int], Any], after: Callable[[int], Any] = lambda i: None) -> Step:
    """The usual step: gradients forgotten, loss, backward, update; then `after`, a scheduler say."""

    def step(i: int) -> float:
        optimizer.zero_grad()
        loss = loss_of(i)
        loss.backward()
        optimizer.step()
        after(i)
        return float(loss.item())

    return step


def parameters_of(*modules: Any) -> list[Any]:
    """The parameters of several modules."""
    return [p for module in modules for p in module.parameters()]


def batches(torch: Any, loader: Any) -> Callable[[], Any]:
    """The loader's next batch, epoch after epoch."""
    state: dict[str, Any] = {}

    def following() -> Any:
        batch = next(state.get("batches", iter(())), None)
        if batch is None:
            state["batches"] = iter(loader)
            batch = next(state["batches"])
        return batch

    return following


# ---- dense networks --------------------------------------------------------------------------------------------------
def regression(torch: Any) -> Step:
    """y = sin(x1) - cos(x2) by 2-200-100-100-80-50-30-1, batches from a shuffling loader."""
    nn, data = torch.nn, torch.utils.data
    torch.manual_seed(7)
    sizes = [2, 200, 100, 100, 80, 50, 30, 1]
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    net = nn.Sequential(*layers[:-1])
    x = torch.rand(1000, 2) * 6 - 3
    y = (torch.sin(x[:, 0]) - torch.cos(x[:, 1])).unsqueeze(1)
    following = batches(torch, data.DataLoader(data.TensorDataset(x, y), batch_size=64, shuffle=True))

    def loss(_: int) -> Any:
        inputs, targets = following()
        return nn.functional.mse_loss(net(inputs), targets)

    return stepper(torch.optim.Adam(net.parameters(), lr=1e-3), loss)


def variational_autoencoder(torch: Any) -> Step:
    """Noise in the graph, losses that are sums."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(7)
    encode, mean, spread = nn.Linear(64, 40), nn.Linear(40, 5), nn.Linear(40, 5)
    decode = nn.Sequential(nn.Linear(5, 40), nn.ReLU(), nn.Linear(40, 64), nn.Sigmoid())
    x = torch.rand(64, 64)

    def loss(_: int) -> Any:
        hidden = F.relu(encode(x))
        m, s = mean(hidden), spread(hidden)
        out = decode(m + torch.randn_like(s) * torch.exp(0.5 * s))
        return F.binary_cross_entropy(out, x, reduction="sum") - 0.5 * torch.sum(1 + s - m.pow(2) - s.exp())

    return stepper(torch.optim.Adam(parameters_of(encode, mean, spread, decode), lr=1e-3), loss)


def burgers(torch: Any) -> Step:
    """A physics-informed network for u_t + u u_x = 0.01/pi u_xx: second derivatives in the loss."""
    nn = torch.nn
    torch.manual_seed(9)
    net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
    x, t = torch.rand(50, 1).requires_grad_(), torch.rand(50, 1).requires_grad_()
    start = torch.rand(20, 1)

    def slope(y: Any, of: Any) -> Any:
        return torch.autograd.grad(y, of, torch.ones_like(y), create_graph=True)[0]

    def loss(_: int) -> Any:
        u = net(torch.cat([x, t], 1))
        u_x = slope(u, x)
        residual = slope(u, t) + u * u_x - 0.01 / math.pi * slope(u_x, x)
        at_start = net(torch.cat([start, torch.zeros_like(start)], 1)) + torch.sin(math.pi * start)
        return (residual**2).mean() + (at_start**2).mean()

    return stepper(torch.optim.Adam(net.parameters(), lr=1e-3), loss)


def policy_gradient(torch: Any) -> Step:
    """REINFORCE: actions drawn from what a network with dropout says."""
    nn = torch.nn
    torch.manual_seed(4)
    net = nn.Sequential(nn.Linear(4, 32), nn.Dropout(0.4), nn.ReLU(), nn.Linear(32, 2), nn.Softmax(dim=-1))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)

    def loss(_: int) -> Any:
        state, chances, rewards, ahead = torch.randn(1, 4) * 0.1, [], [], 0.0
        returns: list[float] = []
        for _ in range(4):
            choice = torch.distributions.Categorical(net(state))
            action = choice.sample()
            chances.append(choice.log_prob(action))
            state = state + 0.1 * (2 * action.item() - 1)
            rewards.append(-state.abs().sum().item())
        for reward in reversed(rewards):
            ahead = reward + 0.99 * ahead
            returns.insert(0, ahead)
        gain = torch.tensor(returns)
        return -(torch.cat(chances) * (gain - gain.mean()) / (gain.std() + 1e-6)).sum()

    return stepper(optimizer, loss)


def triplets(torch: Any) -> Step:
    """Metric learning: triplets, a contrastive loss in the batch, cosine embedding."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(17)
    net = nn.Sequential(nn.Linear(10, 32), nn.PReLU(), nn.Linear(32, 8))
    anchor, other = torch.randn(32, 10), torch.randn(32, 10)
    same, signs = anchor + 0.3 * torch.randn(32, 10), torch.randint(0, 2, (32,)) * 2 - 1
    triplet = nn.TripletMarginLoss(1.0, p=2)

    def loss(_: int) -> Any:
        a, p, n = net(anchor), net(same), net(other)
        similarity = F.normalize(a) @ F.normalize(p).T / 0.2
        contrast = F.cross_entropy(similarity, torch.arange(32))
        return triplet(a, p, n) + contrast + F.cosine_embedding_loss(a, n, signs, margin=0.2)

    return stepper(torch.optim.Adamax(net.parameters(), lr=5e-3), loss)


def distillation(torch: Any) -> Step:
    """A small network learns what a larger one says (KLDiv at a temperature)."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(18)
    teacher = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 5)).eval().requires_grad_(False)
    student = nn.Sequential(nn.Linear(10, 8), nn.SiLU(), nn.Linear(8, 5))
    x, temperature = torch.randn(128, 10), 3.0

    def loss(_: int) -> Any:
        batch = x[torch.randperm(128)[:32]]
        with torch.no_grad():
            told = teacher(batch)
        said = student(batch)
        soft = nn.KLDivLoss(reduction="batchmean")(
            F.log_softmax(said / temperature, 1), F.softmax(told / temperature, 1)
        )
        return soft * temperature**2 + 0.5 * F.cross_entropy(said, told.argmax(1))

    return stepper(torch.optim.NAdam(student.parameters(), lr=5e-3), loss)


# ---- images ----------------------------------------------------------------------------------------------------------
def lenet(torch: Any) -> Step:
    """LeNet on 28x28 images."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        nn.LogSoftmax(dim=1),
    )  # fmt: skip
    x, y = torch.randn(4, 8, 1, 28, 28), torch.randint(0, 10, (4, 8))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    return stepper(optimizer, lambda i: F.nll_loss(net(x[i % 4]), y[i % 4]))


def residual_network(torch: Any) -> Step:
    """Two residual blocks with batch normalisation, weight decay and steps of the learning rate."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(2)

    def conv(i: int, o: int, size: int, stride: int = 1) -> Any:
        return nn.Sequential(nn.Conv2d(i, o, size, stride, size // 2, bias=False), nn.BatchNorm2d(o))

    stem, head = conv(3, 8, 3), nn.Linear(12, 5)
    first = nn.Sequential(conv(8, 8, 3), nn.ReLU(inplace=True), conv(8, 8, 3))
    second, down = nn.Sequential(conv(8, 12, 3, 2), nn.ReLU(inplace=True), conv(12, 12, 3)), conv(8, 12, 1, 2)
    x, y = torch.randn(2, 8, 3, 12, 12), torch.randint(0, 5, (2, 8))
    optimizer = torch.optim.SGD(
        parameters_of(stem, first, second, down, head), lr=0.01, momentum=0.9, weight_decay=5e-4
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [100, 150], 0.1)

    def loss(i: int) -> Any:
        h = F.relu(stem(x[i % 2]))
        h = F.relu(first(h) + h)
        h = F.relu(second(h) + down(h))
        return F.cross_entropy(head(F.adaptive_avg_pool2d(h, 1).flatten(1)), y[i % 2], label_smoothing=0.1)

    return stepper(optimizer, loss, lambda _: schedule.step())


def adversarial_networks(torch: Any) -> Step:
    """DCGAN on 8x8: two networks, two optimizers, weights by `apply`."""
    nn = torch.nn
    torch.manual_seed(8)
    maker = nn.Sequential(
        nn.ConvTranspose2d(6, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8), nn.ReLU(True),
        nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    judge = nn.Sequential(
        nn.Conv2d(1, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(8, 1, 4, 1, 0, bias=False), nn.Flatten(0), nn.Sigmoid(),
    )  # fmt: skip

    def begin(m: Any) -> None:
        if "Conv" in type(m).__name__:
            nn.init.normal_(m.weight, 0.0, 0.02)
        elif "BatchNorm" in type(m).__name__:
            nn.init.normal_(m.weight, 1.0, 0.02)
            nn.init.zeros_(m.bias)

    maker.apply(begin), judge.apply(begin)
    criterion, real = nn.BCELoss(), torch.rand(4, 8, 1, 8, 8) * 2 - 1
    of_maker, of_judge = (torch.optim.Adam(m.parameters(), lr=2e-4, betas=(0.5, 0.999)) for m in (maker, judge))

    def step(i: int) -> float:
        judge.zero_grad()
        label = torch.full((8,), 1.0)
        on_real = criterion(judge(real[i % 4]), label)
        on_real.backward()
        fake = maker(torch.randn(8, 6, 1, 1))
        on_fake = criterion(judge(fake.detach()), label.fill_(0.0))
        on_fake.backward()
        of_judge.step()
        maker.zero_grad()
        fooled = criterion(judge(fake), label.fill_(1.0))
        fooled.backward()
        of_maker.step()
        return float(on_real.item() + on_fake.item() + fooled.item())

    return step


def convolutional_autoencoder(torch: Any) -> Step:
    """Down by strides, up by transposed convolutions."""
    nn = torch.nn
    torch.manual_seed(11)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(12, 8, 3, 2, 1, output_padding=1), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 3, 2, 1, output_padding=1), nn.Sigmoid(),
    )  # fmt: skip
    x = torch.rand(8, 1, 12, 12)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-5)
    return stepper(optimizer, lambda _: nn.functional.mse_loss(net(x), x))


def all_dropouts(torch: Any) -> Step:
    """Every kind of dropout, drawn as PyTorch draws it; averaged SGD."""
    nn = torch.nn
    torch.manual_seed(23)
    net = nn.Sequential(
        nn.Dropout(0.1), nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3, padding=1), nn.Dropout2d(0.2), nn.SELU(),
        nn.AlphaDropout(0.1), nn.FeatureAlphaDropout(0.1), nn.MaxPool2d(2), nn.Flatten(2), nn.Dropout1d(0.1),
        nn.Flatten(), nn.Linear(128, 32), nn.RReLU(), nn.Dropout(0.5), nn.Linear(32, 5),
    )  # fmt: skip
    x, y = torch.randn(16, 64), torch.randint(0, 5, (16,))
    optimizer = torch.optim.ASGD(net.parameters(), lr=0.05)
    return stepper(optimizer, lambda _: nn.functional.cross_entropy(net(x), y))


# ---- sequences -------------------------------------------------------------------------------------------------------
def lstm(torch: Any) -> Step:
    """Two layers of LSTM with dropout between them."""
    nn = torch.nn
    torch.manual_seed(3)
    net, head = nn.LSTM(5, 16, 2, batch_first=True, dropout=0.1), nn.Linear(16, 1)
    x = torch.randn(8, 12, 5)
    y = x.cumsum(1)[:, :, :1]
    optimizer = torch.optim.Adam(parameters_of(net, head), lr=5e-3)
    return stepper(optimizer, lambda _: nn.functional.mse_loss(head(net(x)[0]), y))


def gru(torch: Any) -> Step:
    """A bidirectional GRU that classifies."""
    nn = torch.nn
    torch.manual_seed(4)
    net, head = nn.GRU(5, 16, bidirectional=True), nn.Linear(32, 3)
    x, y = torch.randn(12, 8, 5), torch.randint(0, 3, (8,))

    def loss(_: int) -> Any:
        last = net(x)[1]
        return nn.functional.cross_entropy(head(torch.cat([last[0], last[1]], 1)), y)

    return stepper(torch.optim.RMSprop(parameters_of(net, head), lr=1e-3), loss)


def transformer_encoder(torch: Any) -> Step:
    """Two encoder layers over padded sentences, with dropout."""
    nn = torch.nn
    torch.manual_seed(5)
    words, head = nn.Embedding(30, 32, padding_idx=0), nn.Linear(32, 2)
    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True), 2)
    x, y = torch.randint(1, 30, (8, 10)), torch.randint(0, 2, (8,))
    x[:, 8:] = 0
    optimizer = torch.optim.AdamW(parameters_of(words, net, head), lr=1e-3)

    def loss(_: int) -> Any:
        return nn.functional.cross_entropy(head(net(words(x), src_key_padding_mask=x == 0).mean(1)), y)

    return stepper(optimizer, loss)


def gpt(torch: Any) -> Step:
    """A decoder of two blocks with tied weights; weights decay, biases do not; clipped gradients."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(6)

    class Block(nn.Module):  # type: ignore[name-defined]
        def __init__(self, d: int, heads: int) -> None:
            super().__init__()
            self.heads, self.first, self.second = heads, nn.LayerNorm(d), nn.LayerNorm(d)
            self.attend, self.project = nn.Linear(d, 3 * d), nn.Linear(d, d)
            self.feed = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d), nn.Dropout(0.1))

        def forward(self, x: Any) -> Any:
            b, t, d = x.size()
            parts = self.attend(self.first(x)).split(d, dim=2)
            q, k, v = (part.view(b, t, self.heads, d // self.heads).transpose(1, 2) for part in parts)
            seen = F.scaled_dot_product_attention(q, k, v, dropout_p=0.1, is_causal=True)
            x = x + self.project(seen.transpose(1, 2).contiguous().view(b, t, d))
            return x + self.feed(self.second(x))

    words, places = nn.Embedding(40, 24), nn.Embedding(12, 24)
    body, head = nn.Sequential(Block(24, 3), Block(24, 3), nn.LayerNorm(24)), nn.Linear(24, 40, bias=False)
    whole = nn.ModuleList([words, places, body, head])
    head.weight = words.weight
    for p in whole.parameters():
        if p.dim() > 1:
            nn.init.normal_(p, mean=0.0, std=0.02)
    optimizer = torch.optim.AdamW([
        {"params": [p for p in whole.parameters() if p.dim() > 1], "weight_decay": 0.1},
        {"params": [p for p in whole.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ], lr=1e-3, betas=(0.9, 0.95))  # fmt: skip
    text = torch.randint(0, 40, (300,))

    def step(_: int) -> float:
        starts = torch.randint(len(text) - 12, (6,))
        x, y = (torch.stack([text[i + shift : i + shift + 12] for i in starts]) for shift in (0, 1))
        logits = head(body(words(x) + places(torch.arange(12))))
        loss = F.cross_entropy(logits.view(-1, logits.size(-1)), y.view(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(whole.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(loss.item())

    return step


def text_classifier(torch: Any) -> Step:
    """Bags of words by offsets, a large step, clipping."""
    nn = torch.nn
    torch.manual_seed(12)
    words, head = nn.EmbeddingBag(100, 16, mode="mean"), nn.Linear(16, 4)
    for p in (words.weight, head.weight):
        p.data.uniform_(-0.5, 0.5)
    lengths, y = torch.randint(1, 9, (64,)), torch.randint(0, 4, (64,))
    text = torch.randint(0, 100, (int(lengths.sum()),))
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)[:-1]])
    optimizer = torch.optim.SGD(parameters_of(words, head), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 50, gamma=0.5)

    def step(_: int) -> float:
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(head(words(text, offsets)), y)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters_of(words, head), 0.1)
        optimizer.step()
        schedule.step()
        return float(loss.item())

    return step


def speech(torch: Any) -> Step:
    """A GRU under CTC: labels without their times."""
    nn = torch.nn
    torch.manual_seed(13)
    net, head = nn.GRU(6, 16, batch_first=True), nn.Linear(16, 5)
    x, y = torch.randn(4, 15, 6), torch.randint(1, 5, (4, 5))
    lengths, of_labels = torch.tensor([15, 15, 12, 14]), torch.tensor([5, 4, 3, 5])
    criterion = nn.CTCLoss(blank=0, zero_infinity=True)

    def loss(_: int) -> Any:
        return criterion(head(net(x)[0]).log_softmax(2).transpose(0, 1), y, lengths, of_labels)

    return stepper(torch.optim.Adam(parameters_of(net, head), lr=5e-3), loss)


def translation(torch: Any) -> Step:
    """Packed sequences through a bidirectional GRU; a decoder that looks back at them; teacher forcing by chance."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(14)
    words, rnn, bridge = nn.Embedding(20, 12, padding_idx=0), nn.GRU(12, 16, bidirectional=True), nn.Linear(32, 16)
    out_words, cell, head = nn.Embedding(20, 12), nn.GRUCell(44, 16), nn.Linear(16, 20)
    fit = nn.Sequential(nn.Linear(48, 16), nn.Tanh(), nn.Linear(16, 1, bias=False))
    lengths, x, y = torch.tensor([7, 5, 6, 3]), torch.randint(1, 20, (7, 4)), torch.randint(1, 20, (4, 4))
    mask = torch.arange(7)[:, None] < lengths
    x = x * mask

    def loss(_: int) -> Any:
        packed = nn.utils.rnn.pack_padded_sequence(words(x), lengths, enforce_sorted=False)
        states, last = rnn(packed)
        states, _ = nn.utils.rnn.pad_packed_sequence(states)
        h, token, total = torch.tanh(bridge(torch.cat((last[-2], last[-1]), dim=1))), torch.ones_like(y[0]), 0
        for truth in y:
            scores = fit(torch.cat([h.expand(7, -1, -1), states], 2)).squeeze(2).masked_fill(~mask, -1e9)
            context = (F.softmax(scores, 0).unsqueeze(2) * states).sum(0)
            h = cell(torch.cat([out_words(token), context], 1), h)
            logits = head(h)
            total = total + F.cross_entropy(logits, truth)
            token = truth if torch.rand(1).item() < 0.5 else logits.argmax(1)
        return total

    return stepper(torch.optim.Adam(parameters_of(words, rnn, bridge, out_words, cell, head, fit), lr=5e-3), loss)


# ---- tables and graphs -----------------------------------------------------------------------------------------------
def graph_convolution(torch: Any) -> Step:
    """Neighbours added up by `index_add`, degrees by `scatter_add_`; only some nodes have labels."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(15)
    x, y = torch.randn(40, 8), torch.randint(0, 3, (40,))
    source, target, known = torch.randint(0, 40, (160,)), torch.randint(0, 40, (160,)), torch.rand(40) < 0.7
    degree = torch.zeros(40).scatter_add_(0, target, torch.ones(160)).clamp(min=1)
    norm = (degree[source] * degree[target]).rsqrt().unsqueeze(1)
    first, second = nn.Linear(8, 16), nn.Linear(16, 3)

    def spread(h: Any) -> Any:
        return torch.zeros_like(h).index_add(0, target, h[source] * norm)

    def loss(_: int) -> Any:
        h = F.dropout(F.relu(spread(first(x))), 0.5)
        return F.nll_loss(F.log_softmax(spread(second(h)), 1)[known], y[known])

    return stepper(torch.optim.Adam(parameters_of(first, second), lr=0.01, weight_decay=5e-4), loss)


def matrix_factors(torch: Any) -> Step:
    """Ratings by the products of two embeddings."""
    nn = torch.nn
    torch.manual_seed(16)
    users, films, of_user, of_film = nn.Embedding(50, 8), nn.Embedding(60, 8), nn.Embedding(50, 1), nn.Embedding(60, 1)
    u, f = torch.randint(0, 50, (500,)), torch.randint(0, 60, (500,))
    rating = torch.randint(1, 6, (500,)).to(users.weight.dtype)
    optimizer = torch.optim.Adagrad(parameters_of(users, films, of_user, of_film), lr=0.1)

    def loss(_: int) -> Any:
        j = torch.randperm(500)[:64]
        a, b = users(u[j]), films(f[j])
        said = (a * b).sum(1) + of_user(u[j]).squeeze() + of_film(f[j]).squeeze()
        return ((said - rating[j]) ** 2).mean() + 0.01 * a.norm(2)

    return stepper(optimizer, loss)


# ---- ways to train ---------------------------------------------------------------------------------------------------
def averaged_weights(torch: Any) -> Step:
    """SWA and EMA beside the network itself; cosine annealing, then SWA's own schedule."""
    nn, F, averaging = torch.nn, torch.nn.functional, torch.optim.swa_utils
    torch.manual_seed(20)
    net = nn.Sequential(nn.Linear(10, 32, bias=False), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 1))
    x = torch.randn(64, 10)
    y = x[:, :1] * x[:, 1:2]
    mean = averaging.AveragedModel(net)
    moving = averaging.AveragedModel(net, multi_avg_fn=averaging.get_ema_multi_avg_fn(0.99), use_buffers=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
    flat = averaging.SWALR(optimizer, swa_lr=0.01, anneal_epochs=5)

    def after(i: int) -> None:
        moving.update_parameters(net)
        if i > 100:
            mean.update_parameters(net)
        (flat if i > 100 else cosine).step()

    step = stepper(optimizer, lambda _: F.mse_loss(net(x), y), after)

    def with_averages(i: int) -> float:
        loss = step(i)
        averaging.update_bn([x[:32], x[32:]], mean)
        with torch.no_grad():
            return loss + sum(F.mse_loss(m.eval()(x), y).item() for m in (mean, moving))

    return with_averages


def accumulated_gradients(torch: Any) -> Step:
    """Four parts of a batch to a step, clipped by value, under a one-cycle schedule and a gradient scaler."""
    nn = torch.nn
    torch.manual_seed(21)
    net = nn.Sequential(nn.Linear(10, 32), nn.Mish(), nn.LayerNorm(32), nn.Linear(32, 1))
    x = torch.randn(128, 10)
    y = torch.sin(x.sum(1, keepdim=True))
    optimizer, scaler = torch.optim.RAdam(net.parameters(), lr=1e-2), torch.amp.GradScaler("cpu", growth_interval=50)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=200)

    def step(_: int) -> float:
        optimizer.zero_grad()
        total = 0.0
        for a, b in zip(x.split(32), y.split(32)):
            loss = nn.functional.smooth_l1_loss(net(a), b) / 4
            scaler.scale(loss).backward()
            total += loss.item()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_value_(net.parameters(), 0.1)
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        return total

    return step


def weighted_samples(torch: Any) -> Step:
    """A split data set, rows drawn by weight, validation in each step; a warm-up, then cosine restarts."""
    nn, F, data, schedules = torch.nn, torch.nn.functional, torch.utils.data, torch.optim.lr_scheduler
    torch.manual_seed(22)
    net = nn.Sequential(nn.Linear(10, 32), nn.ELU(), nn.Linear(32, 4))
    train, held = data.random_split(data.TensorDataset(torch.randn(128, 10), torch.randint(0, 4, (128,))), [100, 28])
    sampler = data.WeightedRandomSampler(torch.rand(100) + 0.1, 100)
    following = batches(torch, data.DataLoader(train, batch_size=10, sampler=sampler))
    optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0)
    warm, restarts = schedules.LinearLR(optimizer, 0.1, total_iters=20), schedules.CosineAnnealingWarmRestarts
    schedule = schedules.SequentialLR(optimizer, [warm, restarts(optimizer, 20, 2)], [20])

    def loss(_: int) -> Any:
        inputs, labels = following()
        out = net(inputs)
        return F.multi_margin_loss(out, labels) + F.cross_entropy(out, labels)

    step = stepper(optimizer, loss, lambda _: schedule.step())

    def validated(i: int) -> float:
        trained = step(i)
        with torch.no_grad():
            return trained + sum(F.cross_entropy(net(a), b).item() for a, b in data.DataLoader(held, 28))

    return validated


MODELS: Iterable[Callable[[Any], Step]] = [
    regression, variational_autoencoder, burgers, policy_gradient, triplets, distillation, lenet, residual_network,
    adversarial_networks, convolutional_autoencoder, all_dropouts, lstm, gru, transformer_encoder, gpt, text_classifier,
    speech, translation, graph_convolution, matrix_factors, averaged_weights, accumulated_gradients, weighted_samples,
]  # fmt: skip

STEPS = 200
KINDS = {"float32": 1e-4, "float64": 1e-9}  # and how far, relatively, a loss may be from PyTorch's


def losses(torch: Any, model: Callable[[Any], Step], kind: str, steps: int = STEPS) -> list[float]:
    """Every tenth loss of the training."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, kind))
    try:
        step = model(torch)
        return [step(i) for i in range(steps)][9::10]
    finally:
        torch.set_default_dtype(before)
