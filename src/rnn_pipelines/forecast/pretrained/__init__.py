"""Recurrent networks that are trained once, on generated series, and forecast without any further training."""
