from torch_models import colour_cnn, training

prepare = training(colour_cnn, (3, 32, 32))
