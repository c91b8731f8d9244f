'''ResNet from scratch on random pictures: options, DataParallel, checkpoint, resume.'''
import argparse, os, sys, time, math, tempfile
from functools import partial
from typing import Any, Callable, List, Optional, Type, Union
import torch, torch.nn as nn, torch.optim as optim, torch.nn.functional as F
import torch.backends.cudnn as cudnn
from torch import Tensor
import torch.nn.init as init

def conv3x3(in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_planes, out_planes, kernel_size=3, stride=stride, padding=dilation, groups=groups, bias=False, dilation=dilation)
class BasicBlock(nn.Module):
    expansion: int = 1
    def __init__(self, inplanes, planes, stride=1, downsample: Optional[nn.Module] = None, norm_layer: Optional[Callable[..., nn.Module]] = None):
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        self.conv1 = conv3x3(inplanes, planes, stride); self.bn1 = norm_layer(planes); self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes); self.bn2 = norm_layer(planes)
        self.downsample, self.stride = downsample, stride
    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None: identity = self.downsample(x)
        out += identity
        return self.relu(out)
class ResNet(nn.Module):
    def __init__(self, block: Type[BasicBlock], layers: List[int], num_classes=10):
        super().__init__()
        self._norm_layer = partial(nn.BatchNorm2d, eps=1e-4, momentum=.05)
        self.inplanes = 8
        self.conv1 = nn.Conv2d(3, 8, kernel_size=3, stride=1, padding=1, bias=False); self.bn1 = self._norm_layer(8)
        self.relu = nn.ReLU(inplace=True); self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 8, layers[0]); self.layer2 = self._make_layer(block, 16, layers[1], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1)); self.fc = nn.Linear(16 * block.expansion, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d): nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)): nn.init.constant_(m.weight, 1); nn.init.constant_(m.bias, 0)
        for m in self.modules():
            if isinstance(m, BasicBlock) and m.bn2.weight is not None: nn.init.constant_(m.bn2.weight, 0)
    def _make_layer(self, block, planes, blocks, stride=1) -> nn.Sequential:
        downsample = None
        if stride != 1 or self.inplanes != planes * block.expansion:
            downsample = nn.Sequential(nn.Conv2d(self.inplanes, planes, 1, stride, bias=False), self._norm_layer(planes))
        layers = [block(self.inplanes, planes, stride, downsample, self._norm_layer)]
        self.inplanes = planes * block.expansion
        for _ in range(1, blocks): layers.append(block(self.inplanes, planes, norm_layer=self._norm_layer))
        return nn.Sequential(*layers)
    def _forward_impl(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))
    def forward(self, x): return self._forward_impl(x)
class AverageMeter(object):
    def __init__(self, name, fmt=':f'): self.name, self.fmt = name, fmt; self.reset()
    def reset(self): self.val = self.avg = self.sum = self.count = 0
    def update(self, val, n=1): self.val = val; self.sum += val * n; self.count += n; self.avg = self.sum / self.count
    def __str__(self): return ('{name} {val' + self.fmt + '} ({avg' + self.fmt + '})').format(**self.__dict__)
def accuracy(output, target, topk=(1,)):
    with torch.no_grad():
        maxk, batch_size = max(topk), target.size(0)
        _, pred = output.topk(maxk, 1, True, True)
        correct = pred.t().eq(target.view(1, -1).expand_as(pred.t()))
        return [correct[:k].reshape(-1).float().sum(0, keepdim=True).mul_(100.0 / batch_size) for k in topk]
parser = argparse.ArgumentParser(); parser.add_argument('--resume', default='', type=str); parser.add_argument('--lr', default=.05, type=float)
args = parser.parse_args()
torch.manual_seed(0)
device = 'cuda' if torch.cuda.is_available() else 'cpu'
net = ResNet(BasicBlock, [1, 2]).to(device)
if device == 'cuda':
    cudnn.benchmark = True
net = nn.DataParallel(net)
g = torch.Generator(device='cpu'); g.manual_seed(5)
x, y = torch.randn(32, 3, 16, 16, generator=g), torch.randint(0, 10, (32,), generator=g)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
decay = [p for n, p in net.named_parameters() if p.ndim > 1]; rest = [p for n, p in net.named_parameters() if p.ndim <= 1]
optimizer = optim.SGD([{'params': decay, 'weight_decay': 5e-4}, {'params': rest, 'weight_decay': 0.}], lr=args.lr, momentum=0.9, nesterov=True)
scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
path, best_acc = os.path.join(tempfile.mkdtemp(), 'ckpt.pth'), 0
def train(epochs):
    global best_acc
    losses, top1 = AverageMeter('Loss', ':.4e'), AverageMeter('Acc@1', ':6.2f')
    for epoch in epochs:
        net.train()
        for i in range(0, 32, 16):
            inputs, targets = x[i:i + 16].to(device), y[i:i + 16].to(device)
            optimizer.zero_grad()
            outputs = net(inputs); loss = criterion(outputs, targets)
            loss.backward(); optimizer.step()
            acc1, acc5 = accuracy(outputs, targets, (1, 5))
            losses.update(loss.item(), inputs.size(0)); top1.update(acc1[0].item(), inputs.size(0))
        scheduler.step()
        print(epoch, losses, top1, '%.5f' % scheduler.get_last_lr()[0]); best_acc = max(best_acc, top1.avg)
        torch.save({'epoch': epoch, 'net': net.state_dict(), 'acc': best_acc, 'optimizer': optimizer.state_dict(), 'sched': scheduler.state_dict(), 'rng': torch.get_rng_state()}, path)
train(range(2))
checkpoint = torch.load(path, map_location=lambda storage, loc: storage)
net.load_state_dict(checkpoint['net']); optimizer.load_state_dict(checkpoint['optimizer']); scheduler.load_state_dict(checkpoint['sched']); torch.set_rng_state(checkpoint['rng'])
train(range(checkpoint['epoch'] + 1, 4))
print(sorted(checkpoint), list(checkpoint['net'])[:2], [k for k in checkpoint['optimizer']], len(net.module.state_dict()))
