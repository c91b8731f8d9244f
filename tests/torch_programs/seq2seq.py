"""Reversing sequences with an encoder, a decoder with attention, teacher forcing and packed sequences."""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PAD, SOS, EOS = 0, 1, 2
random.seed(0)
torch.manual_seed(0)


def sample(n):
    pairs = []
    for _ in range(n):
        length = random.randint(2, 6)
        s = [random.randint(3, 9) for _ in range(length)]
        pairs.append((torch.tensor(s), torch.tensor([SOS] + s[::-1] + [EOS])))
    pairs.sort(key=lambda p: -len(p[0]))
    src, tgt = zip(*pairs)
    return pad_sequence(src).to(device), torch.LongTensor([len(s) for s in src]), pad_sequence(tgt, padding_value=PAD).to(device)


class EncoderRNN(nn.Module):
    def __init__(self, vocab, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab, hidden_size, padding_idx=PAD)
        self.gru = nn.GRU(hidden_size, hidden_size, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_size, hidden_size)

    def forward(self, src, lengths):
        packed = pack_padded_sequence(self.embedding(src), lengths.cpu())
        outputs, hidden = self.gru(packed)
        outputs, _ = pad_packed_sequence(outputs)
        hidden = torch.tanh(self.fc(torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1)))
        return outputs, hidden.unsqueeze(0)


class Attn(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.attn = nn.Linear(3 * hidden_size, hidden_size)
        self.v = nn.Parameter(torch.rand(hidden_size))
        self.v.data.normal_(mean=0, std=1. / self.v.size(0) ** 0.5)

    def forward(self, hidden, encoder_outputs, mask):
        T = encoder_outputs.size(0)
        h = hidden.repeat(T, 1, 1).transpose(0, 1)
        enc = encoder_outputs.transpose(0, 1)
        energy = torch.tanh(self.attn(torch.cat([h, enc], 2))).transpose(1, 2)
        v = self.v.repeat(enc.size(0), 1).unsqueeze(1)
        scores = torch.bmm(v, energy).squeeze(1).masked_fill(mask, -1e10)
        return F.softmax(scores, dim=1).unsqueeze(1)


class DecoderRNN(nn.Module):
    def __init__(self, hidden_size, vocab):
        super().__init__()
        self.embedding = nn.Embedding(vocab, hidden_size)
        self.attention = Attn(hidden_size)
        self.gru = nn.GRU(3 * hidden_size, hidden_size)
        self.out = nn.Linear(3 * hidden_size, vocab)

    def forward(self, token, hidden, encoder_outputs, mask):
        embedded = self.embedding(token).unsqueeze(0)
        weights = self.attention(hidden[-1], encoder_outputs, mask)
        context = weights.bmm(encoder_outputs.transpose(0, 1)).transpose(0, 1)
        output, hidden = self.gru(torch.cat([embedded, context], 2), hidden)
        output = self.out(torch.cat([output.squeeze(0), context.squeeze(0)], 1))
        return F.log_softmax(output, dim=1), hidden, weights


encoder, decoder = EncoderRNN(10, 16).to(device), DecoderRNN(16, 10).to(device)
params = list(encoder.parameters()) + list(decoder.parameters())
optimizer = optim.Adam(params, lr=0.01)
criterion = nn.NLLLoss(ignore_index=PAD, reduction='sum')

for it in range(1, 41):
    src, lengths, tgt = sample(16)
    mask = (src == PAD).t()
    encoder_outputs, hidden = encoder(src, lengths)
    loss, token = 0, tgt[0]
    for t in range(1, tgt.size(0)):
        output, hidden, _ = decoder(token, hidden, encoder_outputs, mask)
        loss += criterion(output, tgt[t])
        teacher_force = random.random() < 0.8
        token = tgt[t] if teacher_force else output.data.max(1)[1]
    loss = loss / (tgt[1:] != PAD).sum()
    optimizer.zero_grad()
    loss.backward()
    grad_norm = nn.utils.clip_grad_norm_(params, 10.0)
    optimizer.step()
    if it % 10 == 0:
        print('[%d] loss %.4f grad %.3f' % (it, loss.data, grad_norm))

encoder.eval(); decoder.eval()
with torch.no_grad():
    src, lengths, tgt = sample(3)
    encoder_outputs, hidden = encoder(src, lengths)
    token, decoded = tgt[0], []
    for t in range(tgt.size(0) - 1):
        output, hidden, weights = decoder(token, hidden, encoder_outputs, (src == PAD).t())
        token = output.topk(1)[1].squeeze().detach()
        decoded.append(token)
    print(torch.stack(decoded).t().tolist())
    print(weights.squeeze(1))
