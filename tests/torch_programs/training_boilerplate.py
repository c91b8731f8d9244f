"""What long-lived training scripts carry about: seeds, distributed set-up, mixed precision, EMA, schedulers, samplers,
collate functions, gradient accumulation, early stopping, logging, checkpoints and resuming."""
import argparse
import copy
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from collections import defaultdict, OrderedDict
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import BatchSampler, DataLoader, Dataset, DistributedSampler, Sampler, SequentialSampler

try:
    from apex import amp
    has_apex = True
except ImportError:
    has_apex = False
try:
    import torchvision
    has_vision = True
except (ImportError, OSError):
    has_vision = False
has_native_amp = getattr(torch.cuda.amp, 'autocast') is not None
TORCH_MAJOR, TORCH_MINOR = (int(v) for v in torch.__version__.split('.')[:2])
assert (TORCH_MAJOR, TORCH_MINOR) >= (1, 8) and torch.__version__ >= '1.10'


def seed_everything(seed):
    random.seed(seed)
    os.environ['PYTHONHASHSEED'] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def setup_for_distributed(is_master):
    import builtins as __builtin__
    builtin_print = __builtin__.print

    def print(*args, **kwargs):
        if is_master or kwargs.pop('force', False):
            builtin_print(*args, **kwargs)
    __builtin__.print = print


def init_distributed_mode(args):
    args.distributed = True
    args.rank, args.world_size, args.gpu = int(os.environ.get("RANK", 0)), int(os.environ.get('WORLD_SIZE', 1)), None
    os.environ.setdefault('MASTER_ADDR', '127.0.0.1')
    os.environ.setdefault('MASTER_PORT', str(29500 + os.getpid() % 1000))
    args.dist_backend = 'nccl' if torch.cuda.is_available() else 'gloo'
    dist.init_process_group(backend=args.dist_backend, init_method='env://', world_size=args.world_size, rank=args.rank)
    dist.barrier()
    setup_for_distributed(args.rank == 0)


def reduce_mean(tensor):
    rt = tensor.clone()
    dist.all_reduce(rt, op=dist.ReduceOp.SUM)
    return rt / dist.get_world_size()


class Sentences(Dataset):
    def __init__(self, n=40):
        g = np.random.default_rng(0)
        self.items = [(g.integers(1, 20, size=g.integers(2, 9)), int(g.integers(0, 3))) for _ in range(n)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        tokens, label = self.items[i]
        return {'tokens': torch.as_tensor(tokens), 'label': label, 'meta': {'id': i}}


class BucketSampler(Sampler):
    def __init__(self, data, batch_size):
        self.order = sorted(range(len(data)), key=lambda i: len(data[i]['tokens']))
        self.batch_size = batch_size

    def __iter__(self):
        batches = [self.order[i:i + self.batch_size] for i in range(0, len(self.order), self.batch_size)]
        random.shuffle(batches)
        return iter(batches)

    def __len__(self):
        return (len(self.order) + self.batch_size - 1) // self.batch_size


def collate_fn(batch):
    out = defaultdict(list)
    for b in batch:
        for k, v in b.items():
            out[k].append(v)
    tokens = nn.utils.rnn.pad_sequence(out['tokens'], batch_first=True, padding_value=0)
    return tokens, torch.tensor(out['label']), torch.LongTensor([len(t) for t in out['tokens']])


def worker_init_fn(worker_id):
    np.random.seed(np.random.get_state()[1][0] + worker_id)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.EmbeddingBag(20, 12, mode='mean', padding_idx=0)
        self.net = nn.Sequential(OrderedDict([('fc', nn.utils.parametrizations.weight_norm(nn.Linear(12, 12))), ('act', nn.GELU()),
                                              ('norm', nn.LayerNorm(12)), ('drop', nn.Dropout(.1)), ('head', nn.Linear(12, 3))]))

    def forward(self, x):
        return self.net(self.emb(x))


class ModelEma:
    def __init__(self, model, decay=0.9, device=''):
        self.ema = copy.deepcopy(model)
        self.ema.eval()
        self.decay = decay
        for p in self.ema.parameters():
            p.requires_grad_(False)

    def update(self, model):
        needs_module = hasattr(model, 'module')
        with torch.no_grad():
            msd = model.state_dict()
            for k, ema_v in self.ema.state_dict().items():
                if needs_module:
                    k = 'module.' + k
                ema_v.copy_(ema_v * self.decay + (1. - self.decay) * msd[k].detach())


def save_checkpoint(state, is_best, folder):
    path = folder / 'checkpoint.pth.tar'
    torch.save(state, path)
    if is_best:
        shutil.copyfile(path, folder / 'model_best.pth.tar')


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument('--epochs', default=4, type=int)
    parser.add_argument('--accum', default=2, type=int)
    parser.add_argument('--local_rank', default=0, type=int)
    args = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp())
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format='%(levelname)s %(message)s')
    seed_everything(3407)
    init_distributed_mode(args)
    device = torch.device('cuda', args.local_rank) if torch.cuda.is_available() else torch.device('cpu')
    data = Sentences()
    train_loader = DataLoader(data, batch_sampler=BucketSampler(data, 8), collate_fn=collate_fn, num_workers=0,
                              worker_init_fn=worker_init_fn)
    sampler = DistributedSampler(data, num_replicas=dist.get_world_size(), rank=dist.get_rank(), shuffle=False)
    val_loader = DataLoader(data, batch_size=16, sampler=sampler, collate_fn=collate_fn, drop_last=False)
    model = Classifier().to(device)
    ema = ModelEma(model)
    model = DDP(model, find_unused_parameters=False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [
        torch.optim.lr_scheduler.LinearLR(optimizer, .1, total_iters=2),
        torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)], milestones=[2])
    scaler = torch.amp.GradScaler('cuda', enabled=torch.cuda.is_available())
    criterion = nn.CrossEntropyLoss().to(device)
    start_epoch, best, patience, history = 0, float('inf'), 2, []
    for attempt in range(2):
        for epoch in range(start_epoch, args.epochs):
            model.train()
            sampler.set_epoch(epoch)
            running, n = 0.0, 0
            for step, (x, y, lengths) in enumerate(train_loader):
                x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
                with torch.autocast(device_type=device.type, dtype=torch.bfloat16, enabled=False):
                    loss = criterion(model(x), y) / args.accum
                scaler.scale(loss).backward()
                if (step + 1) % args.accum == 0 or step + 1 == len(train_loader):
                    scaler.unscale_(optimizer)
                    norm = nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], 1.)
                    scaler.step(optimizer)
                    scaler.update()
                    optimizer.zero_grad()
                    ema.update(model)
                running, n = running + reduce_mean(loss.detach()).item() * len(x), n + len(x)
            scheduler.step()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            model.eval()
            with torch.inference_mode():
                val = sum(F.cross_entropy(ema.ema(x), y, reduction='sum').item() for x, y, _ in val_loader) / len(data)
            history.append({'epoch': epoch, 'loss': round(running / n, 5), 'val': round(val, 5)})
            logging.info('epoch %d loss %.4f val %.4f lr %.5f', epoch, running / n, val, optimizer.param_groups[0]['lr'])
            is_best, best = val < best, min(val, best)
            save_checkpoint({'epoch': epoch + 1, 'state_dict': model.module.state_dict(), 'best': best,
                             'optimizer': optimizer.state_dict(), 'scaler': scaler.state_dict(),
                             'scheduler': scheduler.state_dict()}, is_best, folder)
        loc = 'cuda:{}'.format(args.gpu) if args.gpu is not None else 'cpu'
        checkpoint = torch.load(folder / 'checkpoint.pth.tar', map_location=loc)
        start_epoch, args.epochs = checkpoint['epoch'], args.epochs + 1
        missing = model.module.load_state_dict(checkpoint['state_dict'], strict=False)
        optimizer.load_state_dict(checkpoint['optimizer'])
    print(json.dumps(history[-1]), missing, has_apex, len(checkpoint['optimizer']['state']))
    print(sorted(checkpoint['state_dict']), os.path.getsize(folder / 'model_best.pth.tar') > 1000)
    print('max GPU mem: {:.1f} MB'.format(torch.cuda.max_memory_allocated() / 1024 ** 2))
    dist.destroy_process_group()


if __name__ == '__main__':
    main()
