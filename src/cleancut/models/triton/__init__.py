"""NVIDIA Triton runs the network, the rest stays here: what is written for it, and how it is asked."""
