"""Own autograd Functions, hooks of all kinds, gradcheck, torch.func, detach and friends."""
import math
import warnings
import torch
import torch.nn as nn
from torch.autograd import Function, Variable, gradcheck
from torch.autograd.function import once_differentiable
from torch.func import functional_call, grad, hessian, jacrev, vmap
import torch.utils.checkpoint as cp


class LinearFunction(Function):
    @staticmethod
    def forward(ctx, input, weight, bias=None):
        ctx.save_for_backward(input, weight, bias)
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias


class Sign(Function):
    @staticmethod
    def forward(ctx, x, slope):
        ctx.slope = slope
        ctx.mark_non_differentiable()
        return x.sign()

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        return g.clamp(-1, 1) * ctx.slope, None


class GradReverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, lambd, **kwargs):
        ctx.lambd = lambd
        return x.view_as(x)

    @staticmethod
    def backward(ctx, *grad_output):
        return grad_output[0] * -ctx.lambd, None


linear = LinearFunction.apply
torch.manual_seed(0)
inputs = (torch.randn(5, 4, dtype=torch.double, requires_grad=True), torch.randn(3, 4, dtype=torch.double, requires_grad=True),
          torch.randn(3, dtype=torch.double, requires_grad=True))
print('gradcheck', gradcheck(linear, inputs, eps=1e-6, atol=1e-4))
x = Variable(torch.Tensor([-2, -.5, .5, 2]), requires_grad=True)
Sign.apply(x, 2.).mul(torch.arange(4.)).sum().backward()
print(x.grad)
x.grad = None
GradReverse.apply(x, .1).pow(2).sum().backward()
print(x.grad.data, x.grad.is_leaf, x.data.requires_grad)

activations, gradients = {}, []
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def get_activation(name):
    def hook(model, input, output):
        activations[name] = output.detach()
    return hook


handles = [m.register_forward_hook(get_activation(n)) for n, m in net.named_modules() if n]
handles.append(net[2].register_full_backward_hook(lambda m, gi, go: gradients.append((gi[0].norm().item(), go[0].norm().item()))))
handles.append(net[0].register_forward_pre_hook(lambda m, inp: (inp[0] * 2,)))
out = net(torch.ones(3, 4))
h = out.register_hook(lambda g: g * 3)
out.retain_grad()
out.sum().backward()
print({k: tuple(v.shape) for k, v in activations.items()}, [tuple('%.4f' % g for g in p) for p in gradients], out.grad[0])
h.remove()
for handle in handles:
    handle.remove()
params = dict(net.named_parameters())


def compute_loss(params, sample, target):
    return nn.functional.mse_loss(functional_call(net, params, (sample.unsqueeze(0),)), target.unsqueeze(0))


per_sample = vmap(grad(compute_loss), in_dims=(None, 0, 0))(params, torch.randn(6, 4), torch.randn(6, 2))
print({k: tuple(v.shape) for k, v in per_sample.items()}, '%.4f' % per_sample['0.weight'].norm())
print(jacrev(torch.sin)(torch.tensor([0., 1.])), hessian(lambda t: (t ** 3).sum())(torch.tensor([1., 2.])))
y = cp.checkpoint(net, torch.ones(2, 4, requires_grad=True), use_reentrant=False)
print(y.sum().item() == net(torch.ones(2, 4)).sum().item(), y.grad_fn is not None)
with torch.autograd.set_grad_enabled(False):
    print(net(torch.ones(1, 4)).requires_grad)
with torch.autograd.profiler.record_function("nothing"):
    z = torch.tensor(1., requires_grad=True)
try:
    a = torch.ones(2, requires_grad=True)
    b = a.exp()
    b += 1
    b.sum().backward()
except RuntimeError as e:
    print('modified by an inplace operation' in str(e))
try:
    z.add_(1)
except RuntimeError as e:
    print(e)
try:
    z.numpy()
except RuntimeError as e:
    print(e)
print(math.isclose(z.item(), 1.), z, repr(net[0]), sum(1 for _ in net.modules()))
