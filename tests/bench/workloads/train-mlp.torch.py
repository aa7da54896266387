from torch_models import mlp, training

prepare = training(mlp, (1, 28, 28))
