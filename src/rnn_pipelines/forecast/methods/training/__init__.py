"""The training of networks on the residuals of the linear models."""
