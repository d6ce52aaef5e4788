"""Operation of forecasters: retraining, promotion, prediction and monitoring."""
