"""Publication of retrainings and champions to MLflow."""
