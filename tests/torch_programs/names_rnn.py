# Which language is a name from? A recurrent network over letters, one name at a time, with gradients applied by hand.
import math
import random
import string
import time
import unicodedata

import torch
import torch.nn as nn
from torch.autograd import Variable

all_letters = string.ascii_letters + " .,;'-"
n_letters = len(all_letters)
category_lines = {
    'Italian': 'Rossi Bianchi Ferrari Esposito Romano Colombo Ricci Marino Greco Bruno Gallo Conti'.split(),
    'Polish': 'Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak'.split(),
    'Japanese': 'Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida'.split(),
}
all_categories = list(category_lines)
n_categories = len(all_categories)


def unicodeToAscii(s):
    return ''.join(c for c in unicodedata.normalize('NFD', s)
                   if unicodedata.category(c) != 'Mn' and c in all_letters)


def lineToTensor(line):
    tensor = torch.zeros(len(line), 1, n_letters)
    for li, letter in enumerate(line):
        tensor[li][0][all_letters.find(letter)] = 1
    return tensor


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        hidden = torch.tanh(self.i2h(combined))
        return self.softmax(self.h2o(hidden)), hidden

    def initHidden(self):
        return Variable(torch.zeros(1, self.hidden_size))


def categoryFromOutput(output):
    top_n, top_i = output.topk(1)
    category_i = top_i[0].item()
    return all_categories[category_i], category_i


random.seed(1)
torch.manual_seed(1)
rnn = RNN(n_letters, 32, n_categories)
criterion = nn.NLLLoss()
learning_rate = 0.01


def train(category_tensor, line_tensor):
    hidden = rnn.initHidden()
    rnn.zero_grad()
    for i in range(line_tensor.size()[0]):
        output, hidden = rnn(line_tensor[i], hidden)
    loss = criterion(output, category_tensor)
    loss.backward()
    for p in rnn.parameters():
        p.data.add_(p.grad.data, alpha=-learning_rate)
    return output, loss.item()


start = time.time()
current_loss = 0
for it in range(1, 301):
    category = random.choice(all_categories)
    line = unicodeToAscii(random.choice(category_lines[category]))
    output, loss = train(torch.tensor([all_categories.index(category)], dtype=torch.long), lineToTensor(line))
    current_loss += loss
    if it % 100 == 0:
        guess, guess_i = categoryFromOutput(output)
        print('%d %d%% %.4f %s / %s %s' % (it, it / 300 * 100, current_loss / 100, line, guess,
                                          '✓' if guess == category else '✗ (%s)' % category))
        current_loss = 0

confusion = torch.zeros(n_categories, n_categories)
with torch.no_grad():
    for i, category in enumerate(all_categories):
        for name in category_lines[category]:
            line_tensor = lineToTensor(unicodeToAscii(name))
            hidden = rnn.initHidden()
            for letter in line_tensor:
                output, hidden = rnn(letter, hidden)
            confusion[i][categoryFromOutput(output)[1]] += 1
for i in range(n_categories):
    confusion[i] = confusion[i] / confusion[i].sum()
print(confusion)
print("perplexity of a fair guess %.3f" % math.exp(-math.log(1. / n_categories)), time.time() > start)
