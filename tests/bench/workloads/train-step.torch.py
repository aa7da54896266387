from torch_models import digits_cnn, training

prepare = training(digits_cnn, (1, 28, 28))
