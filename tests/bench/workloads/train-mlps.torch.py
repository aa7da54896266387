from torch_models import mlp, training

prepare = training(mlp, (1, 28, 28), steps=20, models=16)
