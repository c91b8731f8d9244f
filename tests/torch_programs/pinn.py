"""u'' = -sin x with u(0) = u(pi) = 0, by a network whose second derivative enters the loss."""
from collections import OrderedDict
import numpy as np
import torch
torch.manual_seed(1234); np.random.seed(1234)
device = torch.device('cuda') if torch.cuda.is_available() else torch.device('cpu')

class DNN(torch.nn.Module):
    def __init__(self, layers):
        super(DNN, self).__init__()
        self.depth = len(layers) - 1
        self.activation = torch.nn.Tanh
        layer_list = list()
        for i in range(self.depth - 1):
            layer_list.append(('layer_%d' % i, torch.nn.Linear(layers[i], layers[i + 1])))
            layer_list.append(('activation_%d' % i, self.activation()))
        layer_list.append(('layer_%d' % (self.depth - 1), torch.nn.Linear(layers[-2], layers[-1])))
        self.layers = torch.nn.Sequential(OrderedDict(layer_list))

    def forward(self, x):
        return self.layers(x)


class PhysicsInformedNN():
    def __init__(self):
        self.x_u = torch.tensor([[0.], [np.pi]], requires_grad=True).float().to(device)
        self.x_f = torch.tensor(np.linspace(0, np.pi, 20)[:, None], requires_grad=True).float().to(device)
        self.u = torch.zeros(2, 1)
        self.lambda_1 = torch.nn.Parameter(torch.tensor([0.5], requires_grad=True).to(device))
        self.dnn = DNN([1, 16, 16, 1]).to(device)
        self.dnn.register_parameter('lambda_1', self.lambda_1)
        self.optimizer = torch.optim.LBFGS(self.dnn.parameters(), lr=1.0, max_iter=40, history_size=20,
                                           tolerance_grad=1e-9, tolerance_change=1.0 * np.finfo(float).eps,
                                           line_search_fn="strong_wolfe")
        self.iter = 0

    def net_f(self, x):
        u = self.dnn(x)
        u_x = torch.autograd.grad(u, x, grad_outputs=torch.ones_like(u), retain_graph=True, create_graph=True)[0]
        u_xx = torch.autograd.grad(u_x, x, grad_outputs=torch.ones_like(u_x), retain_graph=True, create_graph=True)[0]
        return u_xx + torch.sin(x)

    def loss_func(self):
        self.optimizer.zero_grad()
        loss_u = torch.mean((self.u - self.dnn(self.x_u)) ** 2)
        loss_f = torch.mean(self.net_f(self.x_f) ** 2)
        loss = loss_u + loss_f
        loss.backward()
        self.iter += 1
        if self.iter in (1, 5, 10):
            print('Iter %d, Loss: %.4e, Loss_u: %.4e, Loss_f: %.4e' % (self.iter, loss.item(), loss_u.item(), loss_f.item()))
        return loss

    def train(self):
        self.dnn.train()
        self.optimizer.step(self.loss_func)


model = PhysicsInformedNN()
model.train()
x = torch.linspace(0, np.pi, 7).unsqueeze(-1)
error = (model.dnn(x) - torch.sin(x)).detach().cpu().numpy()
print('max error below 0.05:', bool(np.abs(error).max() < 0.05))
jac = torch.autograd.functional.jacobian(lambda t: model.dnn(t[:, None]).sum(), torch.tensor([1., 2.]))
print(jac.shape, torch.autograd.functional.hessian(lambda t: (t ** 3).sum(), torch.tensor([1., 2.])))
