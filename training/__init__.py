"""How cleancut-small is made: data, network, losses, training, export. Needs PyTorch; cleancut never imports it."""
